"""What other rooms' tests drive, for the promises that are made of those rooms."""

from tests.chat.conftest import slack
from tests.chat.test_outbox import put
from tests.intake.conftest import room
from tests.intake.test_github import served as github
from tests.intake.test_http import file, served
from tests.runbooks.conftest import broken, catalogue, context, market, open_shop

__all__ = ["broken", "catalogue", "context", "file", "github", "market", "open_shop", "put", "room", "served", "slack"]
