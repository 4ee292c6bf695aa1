"""What the bot and the stand-ins import and work out first, done once in the process that tests fork from.

Nothing is opened and no thread is started here: a fork could not share them.
"""

from __future__ import annotations

import gc
import importlib
import random
import time

from bot import shipped
from bot.model import prompts
from bot.runbooks import catalogue
from bot.sandbox.kubernetes import shop
from bot.sandbox.kubernetes.cluster import Cluster

for _name in (
    "alembic.command",
    "alembic.config",
    "anthropic",
    "bot.app",
    "bot.cli",
    "bot.sandbox.launch",
    "dbos._sys_db_postgres",
    "dbos._sys_db_sqlite",
    "github",
    "psycopg",
    "slack_bolt.adapter.socket_mode.aiohttp",
    "slack_bolt.async_app",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.pysqlite",
):
    importlib.import_module(_name)
# The first cluster imports the client's models, the first document what checks and compiles schemas.
for _spec in shop.clusters():
    Cluster(_spec, time.time, random.Random(0))
catalogue.load(shipped.runbooks(None))
prompts.load(shipped.prompts(None))
# A fork shares the memory of what it does not touch, and a collection of garbage would touch all of it.
gc.collect()
gc.freeze()
