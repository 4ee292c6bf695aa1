"""${message}"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Add what this release needs; a migration never removes or changes what an old replica uses."""
    ${upgrades if upgrades else "pass"}
