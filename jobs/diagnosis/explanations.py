"""GES's error codes and failure reasons explained, with advice: an entry each, tried in order.

`meaning` says what the source says; what GES does not document is called inferred. `advice` is
gesdash's own. `codes` are GES's, and with the prefix APIG the gateway's. `pattern` is matched
in any case; every repetition in it must be bounded.
"""

from dataclasses import dataclass

from jobs.sentences import gettext_noop


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The meaning of a code or a reason, advice, and the document that it is from.

    English texts, marked for translation.
    """

    title: str
    meaning: str
    advice: str
    source: str
    codes: tuple[str, ...] = ()
    pattern: str = ""


MANAGEMENT = gettext_noop("GES API Reference, error codes (ges_03_0040)")
SERVICE = gettext_noop("GES API Reference, error codes of the service plane")
JOBS = gettext_noop("GES API Reference, job management (ges_03_0061, ges_03_0373)")
SAMPLES = gettext_noop("GES API Reference, sample error messages")
LABELS = gettext_noop("GES API Reference, adding labels in batches (2.2.21)")
ALGORITHM = gettext_noop("GES API Reference, job list of the service plane (ges_03_0471)")
IMPORTING = gettext_noop("GES User Guide, importing data (ges_01_0057)")
FORMATS = gettext_noop("GES User Guide, graph data formats")
FORMATS2021 = gettext_noop("GES User Guide, graph data formats, 2021 edition")
CONSOLE = gettext_noop("GES User Guide, figure of the import details in Task Center")
GATEWAY = gettext_noop("Huawei Cloud API signing guide, gateway error codes")
INFERRED = gettext_noop(
    "Inferred by gesdash from the data format; GES does not document failure reason texts"
)

EXPLANATIONS = (
    # Reasons of failed lines
    Explanation(
        pattern=r"all labels are impor",
        title=gettext_noop("All labels already exist"),
        meaning=gettext_noop(
            "All labels in the metadata file already exist in the graph. GES counts these "
            "lines as failed although the file status is Success. The wording suggests that "
            "this is not an error (inferred)."
        ),
        advice=gettext_noop(
            "No action needed. gesdash does not count metadata rows as failed lines."
        ),
        source=CONSOLE,
    ),
    Explanation(
        pattern=(
            r"property count|(?:column|field) count|number of (?:properties|columns|"
            r"fields)|数据列数|列数[^\n]{0,20}不"
        ),
        title=gettext_noop("The number of values does not match the properties of the label"),
        meaning=gettext_noop(
            "Values are matched by position to the label's properties in the metadata; a "
            "line with more or fewer values fails (inferred)."
        ),
        advice=gettext_noop(
            "Count the fields of the reported line: ID, label, properties in a vertex file; "
            "source, target, label, properties in an edge file. Check for a delimiter in an "
            "unquoted value, a delimiter other than a comma, and a property that was added "
            "to the metadata but not to the file. Correct the file or the metadata and "
            "re-import the file."
        ),
        source=INFERRED,
    ),
    Explanation(
        pattern=(
            r"edge (?:source|target) vertex|"
            r"vertex \[[^\]\n]{0,300}\] (?:of edge )?does not exist|(?:源|起|终|目标|"
            r"顶)点[^\n]{0,80}不存在|(?<!节)点 ?\[[^\]\n]{0,300}\] ?不存在"
        ),
        title=gettext_noop("A vertex of the edge is not in the graph"),
        meaning=gettext_noop("The edge refers to a vertex that does not exist."),
        advice=gettext_noop(
            "First check whether a vertex file of this import has failed lines: the missing "
            "vertex is probably one of them. Re-import the vertex files, wait for that "
            "import to end, then import the edge file. If no vertex file contains the ID, "
            "compare its spelling in both files: blanks, leading zeros, case."
        ),
        source=SAMPLES,
    ),
    Explanation(
        pattern=(
            r"is not a (?:valid )?date|invalid date|"
            r"日期[^\n]{0,30}(?:格式|无效|错误)|不是[^\n]{0,20}日期"
        ),
        title=gettext_noop("The date format is not accepted by GES"),
        meaning=gettext_noop(
            "GES reads dates as YYYY-MM-DD HH:MM:SS or YYYY-MM-DD, with two digits for month "
            "and day."
        ),
        advice=gettext_noop(
            "Check the reported value: month 1 to 12, a day that exists in the month, "
            "leading zeros, hyphens between the parts, no T, time zone or fraction. Convert "
            "the column where the file is generated and re-import the file."
        ),
        source=FORMATS,
    ),
    Explanation(
        pattern=(
            r"label[^\n]{0,300}(?:is not in the metadata|not in (?:the )?schema|"
            r"is unknown)|unknown label|标签[^\n]{0,80}(?:不存在|未定义)"
        ),
        title=gettext_noop("The label is not in the metadata"),
        meaning=gettext_noop(
            "The label of a line must be defined in the metadata, otherwise the line fails "
            "(inferred)."
        ),
        advice=gettext_noop(
            "Compare the spelling with the metadata. If the label is new, add it to the "
            "metadata file and import with that file as schemaPath. If the reported label is "
            "a word such as label, the file starts with a header line: remove it."
        ),
        source=INFERRED,
    ),
    Explanation(
        pattern=(
            r"is not an? (?:valid )?(?:double|float|int|integer|long|bool|boolean|"
            r"number)\b|(?:类型|数值)[^\n]{0,20}(?:不匹配|错误|无效)"
        ),
        title=gettext_noop("The value does not match the property type"),
        meaning=gettext_noop(
            "float is a 32-bit and double a 64-bit number; int is a whole number from -2^31 "
            "to 2^31-1, long from -2^63 to 2^63-1; bool is 0, 1, true or false. That a value "
            "of another type makes its line fail is inferred."
        ),
        advice=gettext_noop(
            "Check the column for placeholders for missing values (n/a, null, NULL, -), "
            "thousands separators and units, and for columns shifted by an unquoted "
            "delimiter. Replace them where the file is generated, or change the property to "
            "string in the metadata."
        ),
        source=FORMATS,
    ),
    Explanation(
        pattern=(
            r"char array[^\n]{0,300}(?:longer|too long|exceed)|(?:longer|too long|"
            r"exceeds)[^\n]{0,60}char array|char array[^\n]{0,60}(?:超|过长)"
        ),
        title=gettext_noop("The text exceeds the length of its char array"),
        meaning=gettext_noop(
            "A char array has a fixed maximum length in characters, given in the metadata."
        ),
        advice=gettext_noop(
            "Shorten the values, increase the maximum length of the property in the "
            "metadata, or change it to string (which imports more slowly). Whether bytes or "
            "characters are counted is not documented: allow extra room for Chinese text."
        ),
        source=FORMATS,
    ),
    Explanation(
        pattern=r"for enum|\benum\b[^\n]{0,60}(?:not|invalid)|枚举",
        title=gettext_noop("The value is not in the enum"),
        meaning=gettext_noop(
            "A property of type enum accepts only the values listed for it in the metadata."
        ),
        advice=gettext_noop(
            "Compare the value with the list, including case and blanks. If it is new and "
            "correct, add it to the enum in the metadata file."
        ),
        source=FORMATS,
    ),
    Explanation(
        pattern=r"vertex id is (?:empty|blank|missing|null)|点 ?id[^\n]{0,10}(?:为空|缺失)",
        title=gettext_noop("The line has no vertex ID"),
        meaning=gettext_noop(
            "The first field of a vertex line is the ID, which identifies the vertex uniquely."
        ),
        advice=gettext_noop(
            "Find lines that start with the delimiter, and empty lines at the end of the "
            "file. Add the ID or remove the lines, then re-import the file."
        ),
        source=FORMATS,
    ),
    Explanation(
        pattern=(
            r"vertex id[^\n]{0,80}(?:hyphen|'-'|invalid|illegal)|"
            r"点 ?id[^\n]{0,40}(?:中划线|非法|无效)"
        ),
        title=gettext_noop("The vertex ID contains a character that is not allowed"),
        meaning=gettext_noop("A vertex ID must not contain a hyphen (-)."),
        advice=gettext_noop(
            "Replace the hyphens, for example with underscores, both in the vertex files and "
            "in the source and target of the edge files. Newer editions may not have this "
            "rule: try one line first."
        ),
        source=FORMATS2021,
    ),
    Explanation(
        pattern=r"vertex \[[^\]\n]{0,300}\] already exists",
        title=gettext_noop("The vertex already exists in the graph"),
        meaning=gettext_noop("A vertex with this ID exists."),
        advice=gettext_noop(
            "If it is the same vertex, nothing is missing. Otherwise look for duplicates of "
            "the ID in the vertex files and decide which line is correct."
        ),
        source=SAMPLES,
    ),
    Explanation(
        pattern=r"(?:list|set) [^\n]{0,60}char array|char array[^\n]{0,60}\b(?:list|set)\b",
        title=gettext_noop("Lists and sets do not support char array"),
        meaning=gettext_noop(
            "Multi-value properties (list, set) do not support the type char array."
        ),
        advice=gettext_noop("Change the property to a list or set of string in the metadata file."),
        source=FORMATS,
    ),
    Explanation(
        pattern=r"label name is invalid",
        title=gettext_noop("The label name is not valid"),
        meaning=gettext_noop(
            "A label name can contain only letters, digits, blanks and % @ # $ : ? * . + - _"
        ),
        advice=gettext_noop("Rename the label in the metadata file and in all files that use it."),
        source=LABELS,
    ),
    Explanation(
        pattern=(
            r"(?:exceed|larger|greater|bigger|over|limit)[^\n]{0,30}\b5 ?GB\b|"
            r"file (?:size )?(?:is )?(?:too large|exceeds)|文件[^\n]{0,20}(?:过大|超过)"
        ),
        title=gettext_noop("The file exceeds the maximum import size"),
        meaning=gettext_noop("A single file can have at most 5 GB, otherwise the import fails."),
        advice=gettext_noop(
            "Split the file at line ends into files smaller than 5 GB and import those."
        ),
        source=IMPORTING,
    ),
    Explanation(
        pattern=r"out of memory|(?:insufficient|not enough) memory|内存不足",
        title=gettext_noop("Not enough memory"),
        meaning=gettext_noop(
            "All files of one import together may take up at most one fifth of the available "
            "memory."
        ),
        advice=gettext_noop(
            "Import fewer files at a time, one import after another, or resize the graph to "
            "a larger flavor."
        ),
        source=IMPORTING,
    ),
    Explanation(
        pattern=r"(?:^|\W)line 1(?![,.]?\d)|第 ?1 ?行",
        title=gettext_noop("First line failed: possibly a header"),
        meaning=gettext_noop(
            "CSV files have no header line; a header is read as data and fails (inferred)."
        ),
        advice=gettext_noop(
            "Check the first line. If it contains the column names, no useful data failed; "
            "remove it before the next import."
        ),
        source=INFERRED,
    ),
    Explanation(
        pattern=r"Running algorithm \[",
        title=gettext_noop("An algorithm parameter is incorrect"),
        meaning=gettext_noop("The reported algorithm could not run with the given parameters."),
        advice=gettext_noop(
            "Correct the parameter named in the text; a vertex given as source or target "
            "must exist in the graph."
        ),
        source=ALGORITHM,
    ),
    # Error codes of the management plane
    Explanation(
        codes=("GES.0001", "GES.8005"),
        title=gettext_noop("Incorrect parameter"),
        meaning=gettext_noop("Incorrect parameter."),
        advice=gettext_noop(
            "Compare the request with the API reference of the version you call: v1.0 uses "
            "keys such as edgesetPath, v2 edgeset_path. Retrying without a change fails "
            "again."
        ),
        source=MANAGEMENT,
    ),
    Explanation(
        codes=("GES.0016",),
        title=gettext_noop("Resource not found"),
        meaning=gettext_noop(
            "Resource not found. Only one regional edition of the documentation lists this code."
        ),
        advice=gettext_noop(
            "Check the region, project ID and graph ID; a project ID belongs to one region."
        ),
        source=MANAGEMENT,
    ),
    Explanation(
        codes=("GES.2067",),
        title=gettext_noop("The name is not valid or already exists"),
        meaning=gettext_noop(
            "The name violates the naming rules or already exists. This code appears only in "
            "a sample, not in any table."
        ),
        advice=gettext_noop("Choose another name."),
        source=SAMPLES,
    ),
    Explanation(
        codes=("GES.7000", "GES.7054"),
        pattern=r"graph \[[^\]\n]{0,300}\] is not found",
        title=gettext_noop("The graph does not exist or was deleted"),
        meaning=gettext_noop("The graph does not exist, is being deleted or has been deleted."),
        advice=gettext_noop(
            "Check in the console whether a graph with this name now has another ID: names "
            "can be reused. If the graph was deleted on purpose, pause tracking its jobs."
        ),
        source=MANAGEMENT,
    ),
    Explanation(
        codes=("GES.7001", "GES.7015", "GES.7003"),
        title=gettext_noop("The graph is not running"),
        meaning=gettext_noop("The graph is not running, is being stopped or is stopped."),
        advice=gettext_noop("Start the graph, wait until its status is running, then try again."),
        source=MANAGEMENT,
    ),
    Explanation(
        codes=("GES.7002",),
        title=gettext_noop("The graph is being backed up"),
        meaning=gettext_noop("The graph is being backed up."),
        advice=gettext_noop(
            "Wait for the backup to end and try again; schedule imports at a different time "
            "than the backup."
        ),
        source=MANAGEMENT,
    ),
    Explanation(
        codes=("GES.7004",),
        title=gettext_noop("IaaS components are faulty"),
        meaning=gettext_noop("Components at the IaaS layer are faulty."),
        advice=gettext_noop(
            "The cause is not in your files. Try again later; if the error persists, open a "
            "service ticket with the job ID, graph ID and time."
        ),
        source=MANAGEMENT,
    ),
    Explanation(
        codes=("GES.7005", "GES.8601", "GES.8602"),
        title=gettext_noop("The graph engine is unavailable"),
        meaning=gettext_noop("The underlying service (graph engine or Gremlin) is unavailable."),
        advice=gettext_noop(
            "Check the status of the graph. If it is running, try again after a few minutes; "
            "if it is faulty or the error persists, open a service ticket."
        ),
        source=MANAGEMENT,
    ),
    Explanation(
        codes=("GES.7006",),
        title=gettext_noop("Internal error of the graph engine"),
        meaning=gettext_noop(
            "An internal error occurs in the underlying service of the graph engine."
        ),
        advice=gettext_noop(
            "Try again once. If it fails again, open a service ticket with the job ID, graph "
            "ID and time; the text gives no cause that you could fix yourself."
        ),
        source=MANAGEMENT,
    ),
    Explanation(
        codes=("GES.7007", "GES.8301"),
        pattern=r"can not find job",
        title=gettext_noop("Job not found in GES"),
        meaning=gettext_noop(
            "The job does not exist, or querying it failed. GES keeps job details for one "
            "month; that older jobs return this error is inferred."
        ),
        advice=gettext_noop(
            "For a job older than one month, only what gesdash has stored is available. For "
            "a newer one, check the job ID, graph ID, project and region."
        ),
        source=JOBS,
    ),
    Explanation(
        codes=("GES.7008",),
        title=gettext_noop("The job was stopped"),
        meaning=gettext_noop("The job is stopped."),
        advice=gettext_noop(
            "Find out who stopped it and why. Check what was already loaded of each file, "
            "and import the rest."
        ),
        source=MANAGEMENT,
    ),
    Explanation(
        codes=("GES.7009",),
        title=gettext_noop("Unsupported job operation"),
        meaning=gettext_noop("The job operation is not supported."),
        advice=gettext_noop(
            "There is no documented way to cancel jobs of the management plane, including "
            "imports: wait for the job to end."
        ),
        source=MANAGEMENT,
    ),
    Explanation(
        codes=("GES.7010",),
        title=gettext_noop("Metadata and data files failed the check"),
        meaning=gettext_noop("Failed to verify the schema and data files."),
        advice=gettext_noop(
            "Check that the metadata is well-formed XML, that the labels and the number and "
            "order of properties match the files, and that no file has a header line. Call "
            "check-schema with the three paths before the next import."
        ),
        source=MANAGEMENT,
    ),
    Explanation(
        codes=("GES.7011",),
        title=gettext_noop("The path or file name is not valid"),
        meaning=gettext_noop("The path or name of the schema or data file is invalid."),
        advice=gettext_noop(
            "Write paths as bucket/key, without obs:// and host. Accepted are letters, "
            "digits, Chinese characters and ! - _ . * ' ( ), but no blanks. Rename the "
            "object in OBS if needed."
        ),
        source=MANAGEMENT,
    ),
    Explanation(
        codes=("GES.7014",),
        title=gettext_noop("The metadata check API returned an error"),
        meaning=gettext_noop("An error is reported when the metadata verification API is called."),
        advice=gettext_noop(
            "Try again; if the error persists, check the metadata file separately, then open "
            "a service ticket."
        ),
        source=MANAGEMENT,
    ),
    Explanation(
        codes=("GES.7016",),
        title=gettext_noop("The request body or header is not valid"),
        meaning=gettext_noop("The request body or header is invalid."),
        advice=gettext_noop(
            "Check that the body is JSON with the keys of the version you call, and that "
            "Content-Type is application/json."
        ),
        source=MANAGEMENT,
    ),
    Explanation(
        codes=("GES.7017",),
        pattern=r"the object does not exist",
        title=gettext_noop("The object does not exist in OBS"),
        meaning=gettext_noop("The object does not exist; the bucket or object name may be wrong."),
        advice=gettext_noop(
            "Check the path in OBS: was the file written before the import started, is the "
            "spelling identical (including case), is the bucket in the region of the graph? "
            "Start the import only after the upload has ended, then re-import the file."
        ),
        source=MANAGEMENT,
    ),
    Explanation(
        codes=("GES.7018",),
        pattern=(
            r"number of (?:graphs or )?edges (?:reaches|exceeds)|"
            r"边数[^\n]{0,20}(?:上限|超)"
        ),
        title=gettext_noop("The maximum number of graphs or edges is reached"),
        meaning=gettext_noop("The number of graphs or edges reaches the upper limit."),
        advice=gettext_noop(
            "Compare the number of edges in the graph with the size of its flavor. Resize "
            "the graph, remove edges that are no longer needed, or request a higher quota; "
            "then import what failed. Check whether an earlier import loaded edges twice."
        ),
        source=MANAGEMENT,
    ),
    Explanation(
        codes=("GES.7019",),
        title=gettext_noop("The maximum number of graph backups is reached"),
        meaning=gettext_noop("The number of graph backups reaches the upper limit."),
        advice=gettext_noop("Delete a backup that is no longer needed, or request a higher quota."),
        source=MANAGEMENT,
    ),
    Explanation(
        codes=("GES.7023", "GES.7057"),
        title=gettext_noop("The graph flavor is not valid"),
        meaning=gettext_noop("The graph size index, or the flavor for the scale-out, is invalid."),
        advice=gettext_noop(
            "Choose a flavor that the console offers for this graph in this region."
        ),
        source=MANAGEMENT,
    ),
    Explanation(
        codes=("GES.7024",),
        title=gettext_noop("The backup does not exist or was deleted"),
        meaning=gettext_noop("The graph backup does not exist or has been deleted."),
        advice=gettext_noop("Choose another backup in the console."),
        source=MANAGEMENT,
    ),
    Explanation(
        codes=("GES.7027", "GES.7028", "GES.7029", "GES.7030"),
        title=gettext_noop("The GES agency has a problem"),
        meaning=gettext_noop(
            "Creating, authorizing or querying the agency failed, or its quota is used up."
        ),
        advice=gettext_noop(
            "Check the agencies in IAM: if the quota is full, delete those no longer used, "
            "and make sure that the account may create and authorize agencies."
        ),
        source=MANAGEMENT,
    ),
    Explanation(
        codes=("GES.7036",),
        title=gettext_noop("The target version is older than the current one"),
        meaning=gettext_noop("The target version is earlier than the current one."),
        advice=gettext_noop("Choose a version newer than that of the graph."),
        source=MANAGEMENT,
    ),
    Explanation(
        codes=("GES.7037",),
        title=gettext_noop("The graph is not stopped"),
        meaning=gettext_noop("The graph is not in the Stopped state."),
        advice=gettext_noop("Stop the graph, wait until it is stopped, then try again."),
        source=MANAGEMENT,
    ),
    Explanation(
        codes=("GES.7040",),
        title=gettext_noop("The backup failed"),
        meaning=gettext_noop("Failed to back up a graph."),
        advice=gettext_noop(
            "Make sure that the graph is running and no other operation is in progress, then "
            "back it up again. Until then, the last good backup is the previous one."
        ),
        source=MANAGEMENT,
    ),
    Explanation(
        codes=("GES.7041",),
        title=gettext_noop("Insufficient permission"),
        meaning=gettext_noop("Insufficient permission."),
        advice=gettext_noop(
            "Grant the user the required IAM action: ges:graph:operate for an import, "
            "ges:jobs:getDetail and ges:jobs:list for reading jobs."
        ),
        source=MANAGEMENT,
    ),
    Explanation(
        codes=("GES.7042",),
        title=gettext_noop("The graph is being created"),
        meaning=gettext_noop("The graph is being created."),
        advice=gettext_noop("Wait until it is running, then try again."),
        source=MANAGEMENT,
    ),
    Explanation(
        codes=("GES.7048",),
        title=gettext_noop("Invalid graph operation"),
        meaning=gettext_noop("Invalid graph operation."),
        advice=gettext_noop(
            "Check the action in the request, and whether the current status of the graph "
            "allows it: during an import, export or resize it accepts no other operation "
            "(inferred)."
        ),
        source=MANAGEMENT,
    ),
    Explanation(
        codes=("GES.7049", "GES.7050"),
        title=gettext_noop("A parameter is missing or empty"),
        meaning=gettext_noop("The parameter does not exist, or is empty."),
        advice=gettext_noop(
            "An import needs at least one of edge, vertex and metadata path, and version "
            "1.0.5 requires the edge path. Add what is missing and send the request again."
        ),
        source=MANAGEMENT,
    ),
    Explanation(
        codes=("GES.7056",),
        title=gettext_noop("Scale-out is not supported for this graph flavor"),
        meaning=gettext_noop("The graph of the current flavor cannot be scaled out."),
        advice=gettext_noop(
            "Resize the graph to a flavor that supports scale-out, or create a larger graph "
            "and import the data there."
        ),
        source=MANAGEMENT,
    ),
    Explanation(
        codes=("GES.7059", "GES.7061"),
        title=gettext_noop("Insufficient resources in the region"),
        meaning=gettext_noop(
            "IaaS resources for the flavor, or for the ECS to create, are insufficient."
        ),
        advice=gettext_noop(
            "Try again later, or use another flavor or availability zone; ask support when "
            "resources will be available."
        ),
        source=MANAGEMENT,
    ),
    Explanation(
        codes=("GES.7062", "GES.7063", "GES.7064"),
        title=gettext_noop("Failed to create a server or disk"),
        meaning=gettext_noop("Failed to create the data disk, the system disk or the ECS."),
        advice=gettext_noop(
            "Check the quotas for disks and servers and try again; if the error persists, "
            "open a service ticket."
        ),
        source=MANAGEMENT,
    ),
    Explanation(
        codes=("GES.7067",),
        title=gettext_noop("Insufficient ECS quota"),
        meaning=gettext_noop("Insufficient ECS quota."),
        advice=gettext_noop(
            "Request a higher ECS quota, or release servers that are no longer needed."
        ),
        source=MANAGEMENT,
    ),
    Explanation(
        codes=("GES.7069",),
        title=gettext_noop("The metadata file is too large"),
        meaning=gettext_noop(
            "The metadata file is too large; a metadata file can have at most 10 MB."
        ),
        advice=gettext_noop(
            "Remove labels and enum values that are no longer used. An enum with very many "
            "values is better changed to string."
        ),
        source=MANAGEMENT,
    ),
    Explanation(
        codes=("GES.7070",),
        title=gettext_noop("Failed to parse the metadata file"),
        meaning=gettext_noop("Failed to parse the metadata file."),
        advice=gettext_noop(
            "Check the file with an XML tool: unclosed tags, wrong encoding, < > & in names. "
            "Property names have 1 to 256 characters without < > &."
        ),
        source=MANAGEMENT,
    ),
    # Error codes of the service plane; the management plane's samples use them too
    Explanation(
        codes=("GES.8000",),
        pattern=r"parameter format error",
        title=gettext_noop("Incorrect parameter format"),
        meaning=gettext_noop("Incorrect parameter format."),
        advice=gettext_noop(
            "Check types and spelling: parallelEdge is an object since 2.1.2 and was a "
            "string before; offline is true or false without quotes."
        ),
        source=SERVICE,
    ),
    Explanation(
        codes=("GES.8006",),
        title=gettext_noop("Invalid resource access"),
        meaning=gettext_noop("Invalid resource access."),
        advice=gettext_noop(
            "Check that the graph belongs to the project and that the credentials are for "
            "this project."
        ),
        source=SERVICE,
    ),
    Explanation(
        codes=("GES.8007",),
        title=gettext_noop("The token is not valid"),
        meaning=gettext_noop("Invalid token."),
        advice=gettext_noop(
            "Get a new token: tokens are valid for 24 hours. Its scope must be the project, "
            "not the domain."
        ),
        source=SERVICE,
    ),
    Explanation(
        codes=("GES.8008",),
        title=gettext_noop("Error in the authentication system"),
        meaning=gettext_noop("Error in the underlying authentication system."),
        advice=gettext_noop(
            "Try again after a few minutes; your credentials are not necessarily wrong."
        ),
        source=SERVICE,
    ),
    Explanation(
        codes=("GES.8011",),
        title=gettext_noop("Failed to export the graph"),
        meaning=gettext_noop("Failed to export a graph."),
        advice=gettext_noop(
            "Check that the OBS directory exists and is writable and that the graph is "
            "running, then export again."
        ),
        source=SERVICE,
    ),
    Explanation(
        codes=("GES.8012",),
        title=gettext_noop("Failed to clear the graph"),
        meaning=gettext_noop("Failed to clear a graph."),
        advice=gettext_noop(
            "Check what the graph still contains before you import: remaining data that is "
            "imported again may be duplicated."
        ),
        source=SERVICE,
    ),
    Explanation(
        codes=("GES.8013",),
        pattern=r"Failed to incrementally import data",
        title=gettext_noop("The import failed"),
        meaning=gettext_noop(
            "Failed to incrementally import data to the graph. The code alone gives no reason."
        ),
        advice=gettext_noop(
            "The reasons are given per file: check the failure reasons and logs of the "
            "files. If there are none, re-import with logDir, so that GES keeps the failed "
            "lines and reasons."
        ),
        source=SERVICE,
    ),
    Explanation(
        codes=("GES.8302",),
        title=gettext_noop("Job query error"),
        meaning=gettext_noop("Job query error, on GES's side (HTTP 500)."),
        advice=gettext_noop(
            "This says nothing about the job itself. Query it again later; gesdash continues "
            "polling automatically."
        ),
        source=SERVICE,
    ),
    Explanation(
        codes=("GES.8303", "GES.8304"),
        title=gettext_noop("Failed to terminate the job"),
        meaning=gettext_noop(
            "Failed to terminate a job, or an error on GES's side while terminating it."
        ),
        advice=gettext_noop(
            "Check whether the job has ended by itself; only some types of jobs of the "
            "service plane can be cancelled."
        ),
        source=SERVICE,
    ),
    Explanation(
        codes=("GES.8801",),
        title=gettext_noop("Failed to add a label to the metadata"),
        meaning=gettext_noop("Failed to add a label to metadata."),
        advice=gettext_noop(
            "Check that the label name is valid and does not exist yet, that no property is "
            "duplicated, and that property names have at most 256 characters without < > &."
        ),
        source=SERVICE,
    ),
    Explanation(
        codes=("GES.9999",),
        title=gettext_noop("Failed without a reason"),
        meaning=gettext_noop(
            'GES returns only "failed". This code appears in older samples of the job '
            "list, not in any table."
        ),
        advice=gettext_noop(
            "Check the details of the job in the console while they are kept (one month), "
            "then open a service ticket with the job ID."
        ),
        source=SAMPLES,
    ),
    # Codes of the gateway before GES
    Explanation(
        codes=("APIG.0101",),
        title=gettext_noop("API not found"),
        meaning=gettext_noop("The called API does not exist (HTTP 404)."),
        advice=gettext_noop(
            "Check the endpoint, region, path and method; in most regions the GES endpoint "
            "is ges.REGION.myhuaweicloud.com."
        ),
        source=GATEWAY,
    ),
    Explanation(
        codes=("APIG.0201",),
        title=gettext_noop("Gateway request error"),
        meaning=gettext_noop(
            "The request is malformed or too large (HTTP 400, 413, 414), or the backend did "
            "not respond correctly or in time (502, 504); inferred from the HTTP statuses."
        ),
        advice=gettext_noop(
            "For 502 or 504, try again after a few seconds. Otherwise, make the request "
            "smaller or correct it; a signed body can have at most 12 MB."
        ),
        source=GATEWAY,
    ),
    Explanation(
        codes=("APIG.0301", "APIG.0307"),
        pattern=(
            r"verify aksk signature fail|decrypt token fail|x-auth-token not found|"
            r"token expires"
        ),
        title=gettext_noop("IAM authentication failed"),
        meaning=gettext_noop(
            "IAM authentication failed: the signature is wrong, or the token is missing, "
            "unreadable, expired or must be updated (HTTP 401)."
        ),
        advice=gettext_noop(
            "With AK/SK, check both keys and the clock: a deviation of more than 15 minutes "
            "is rejected, and five wrong signatures lock the AK for 5 minutes. With a token, "
            "get a new one: it is valid for 24 hours."
        ),
        source=GATEWAY,
    ),
    Explanation(
        codes=("APIG.0302", "APIG.0304", "APIG.0306"),
        title=gettext_noop("Access denied"),
        meaning=gettext_noop(
            "The gateway identified the caller but denies access (HTTP 403; inferred from "
            "the status)."
        ),
        advice=gettext_noop(
            "Check the user's permissions in IAM, whether the project belongs to the region "
            "you call, and whether the account is restricted."
        ),
        source=GATEWAY,
    ),
    Explanation(
        codes=("APIG.0303", "APIG.0305"),
        title=gettext_noop("Incorrect authentication information"),
        meaning=gettext_noop(
            "The gateway could not authenticate the caller (HTTP 401; inferred from the status)."
        ),
        advice=gettext_noop(
            "Check the authentication method and its values in the settings; create new keys "
            "if the current ones may be disabled or deleted."
        ),
        source=GATEWAY,
    ),
    Explanation(
        codes=("APIG.0308",),
        pattern=r"over ratelimit|throttling threshold",
        title=gettext_noop("Too many requests"),
        meaning=gettext_noop(
            "The throttling threshold has been reached; the text gives the limit and the time unit."
        ),
        advice=gettext_noop(
            "Wait 2 to 5 seconds before the next request. gesdash slows down automatically; "
            "lower the project's API quota if other programs use the same account."
        ),
        source=GATEWAY,
    ),
)
