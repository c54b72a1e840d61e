from django.core.management.commands import makemigrations

from jobs.management.autodetector import LabelFreeAutodetector


class Command(makemigrations.Command):
    autodetector = LabelFreeAutodetector
