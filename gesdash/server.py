"""The WSGI application that granian serves."""

import os

from django.core.wsgi import get_wsgi_application

from gesdash.child import end_when_orphaned

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gesdash.settings")
end_when_orphaned()
application = get_wsgi_application()
