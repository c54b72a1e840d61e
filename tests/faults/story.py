"""The jobs of the simulated GES in these tests: they advance when told to, no two states alike."""

import json

GRAPH = {"id": "g1", "name": "graph"}
PROJECT = "0b4c9e2d8f7a41c6a5d3e1f2b7c80d9e"


class Steps:
    """A number of jobs with a number of states each, of which the last is final."""

    def __init__(self, jobs, states, width=1, begin="2026-03-04T10:00:00"):
        self.states, self.width, self.begin = states, width, begin
        self.at = {f"job-{number:03d}": 0 for number in range(jobs)}
        self.may_end = True

    def advance(self, job_id):
        self.at[job_id] = min(
            self.at[job_id] + 1, self.states - 1 if self.may_end else self.states - 2
        )

    @property
    def is_over(self):
        return all(at == self.states - 1 for at in self.at.values())

    def body(self, job_id):
        return json.dumps(self.state(job_id, None), ensure_ascii=False).encode()

    # What a simulator asks its story for.

    def jobs(self, _now):
        return sorted(self.at, reverse=True)

    def find(self, job_id, _now):
        return job_id if job_id in self.at else None

    def graphs(self, _now=None):
        return [GRAPH]

    def state(self, job_id, _now):
        at = self.at[job_id]
        is_final = at == self.states - 1
        said = {
            "jobId": job_id,
            "status": "success" if is_final else "running",
            "jobName": "ImportGraph",
            "relatedGraph": GRAPH["name"],
            "beginTime": self.begin,
        }
        if is_final:
            said["endTime"] = "2036-03-04T11:00:00"
        lines = {
            "totalLines": 100 * at,
            "failedLines": 0,
            "successfulLines": 100 * at,
            "status": "success",
        }
        said["jobDetail"] = {
            "edgesetPath": [
                {"path": f"bucket/{job_id}/{n}.csv", **lines} for n in range(self.width)
            ]
        }
        return said
