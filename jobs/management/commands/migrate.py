from django.core.management.commands import migrate

from jobs.management.autodetector import LabelFreeAutodetector


class Command(migrate.Command):
    autodetector = LabelFreeAutodetector
