import pytest

from bot.condense.risk import terraform
from tests.condense.risk.telling import Change, ids, told

TOLD: dict[str, Change] = {
    "tf/json-resource-removed": ("main.tf.json", 'x\n  "aws_db_instance": {\n  "main": {', "x"),
    "tf/json-instance-removed": ("main.tf.json", '"aws_db_instance": {\n  "main": {\n', '"aws_db_instance": {\n'),
    "tf/redundancy-off": ("infra/main.tf", "x: 1\n  multi_az = true", "x: 1\n  multi_az = false"),
    "tf/redundancy-removed": ("infra/main.tf", "x: 1\n  multi_az = true", "x: 1"),
    "tf/switched-off": ("infra/main.tf", "versioning {\n  enabled = true", "versioning {\n  enabled = false"),
    "tf/ignores-changes": ("infra/main.tf", "lifecycle {\n", "lifecycle {\n  ignore_changes = all\n"),
    "tf/prevent-destroy-removed": ("infra/main.tf", "x: 1\n    prevent_destroy = true", "x: 1"),
    "tf/prevent-destroy-off": ("infra/main.tf", "x: 1", "x: 1\n    prevent_destroy = false"),
    "tf/force-destroy": ("infra/main.tf", "x: 1", "x: 1\n  force_destroy = true"),
    "tf/deletion-protection-removed": ("infra/main.tf", "x: 1\n  deletion_protection = true", "x: 1"),
    "tf/deletion-protection-off": ("infra/main.tf", "x: 1", "x: 1\n  deletion_protection = false"),
    "tf/resource-removed": ("infra/main.tf", 'x: 1\nresource "aws_db_instance" "orders" {', "x: 1"),
    "tf/module-removed": ("infra/main.tf", 'x: 1\nmodule "vpc" {', "x: 1"),
    "tf/open-to-all": ("infra/main.tf", "x: 1", 'x: 1\n  cidr_blocks = ["0.0.0.0/0"]'),
    "tf/public": ("infra/main.tf", "x: 1", "x: 1\n  publicly_accessible = true"),
    "tf/iam-wildcard": ("infra/main.tf", "x: 1", 'x: 1\n  actions = ["*"]'),
    "tf/encryption-removed": ("infra/main.tf", "x: 1\n  kms_key_id = x", "x: 1"),
    "tf/encryption-off": ("infra/main.tf", "x: 1", "x: 1\n  storage_encrypted = false"),
    "tf/backup-removed": ("infra/main.tf", "x: 1\n  backup_retention_period = 7", "x: 1"),
    "tf/lifecycle-removed": ("infra/main.tf", "x: 1\n  lifecycle {", "x: 1"),
    "tf/replaces": ("infra/main.tf", "x: 1", "x: 1\n  replace_triggered_by = [x]"),
    "tf/lowered": ("infra/main.tf", "  min_size = 3", "  min_size = 1"),
    "tf/provider": ("infra/main.tf", "x: 1", 'x: 1\nprovider "aws" {'),
    "tf/state": ("infra/main.tf", "x: 1", "x: 1\nmoved {"),
    "tf/replacement-prone": ("infra/main.tf", '  engine_version = "13"', '  engine_version = "14"'),
    "tf/network": ("infra/main.tf", "x: 1", "x: 1\n  from_port = 22"),
    "tf/iam": ("infra/main.tf", "x: 1", "x: 1\n  role = x"),
    "tf/version": ("infra/main.tf", '  version = "1"', '  version = "2"'),
    "tf/resource": ("infra/main.tf", "x: 1", 'x: 1\nresource "x" "y" {'),
    "tf/meta": ("infra/main.tf", "x: 1", "x: 1\n  count = 2"),
}

QUIET: list[tuple[str, Change]] = [
    ("tf/json-resource-removed", ("main.tf.json", '  "aws_region": "eu",\n  "x": 1', '  "x": 1')),
    ("tf/json-instance-removed", ("main.tf.json", '"lifecycle": {\n  "main": {\n', '"lifecycle": {\n')),
    ("tf/public", ("main.tf.json", "{", '{\n  "publicly_accessible": false')),
    (
        "tf/prevent-destroy-removed",
        ("main.tf.json", '"lifecycle": {\n  "prevent_destroy": true', '"lifecycle": {\n    "prevent_destroy": true'),
    ),
    ("tf/open-to-all", ("main.tf", "x = 1", 'x = 1\n  egress {\n    cidr_blocks = ["0.0.0.0/0"]\n  }')),
    ("tf/open-to-all", ("main.tf", "x = 1", 'x = 1\n  # cidr_blocks = ["0.0.0.0/0"]')),
    ("tf/resource-removed", ("infra/main.tf", 'resource "a" "b" {\nx = 1', 'x = 1\nresource "a" "b" {')),
    ("tf/lowered", ("infra/main.tf", "  min_size = 1", "  min_size = 3")),
    ("tf/prevent-destroy-removed", ("infra/main.tf", "x: 1", "x: 1\n    prevent_destroy = true")),
    ("tf/open-to-all", ("infra/main.tf", 'x: 1\n  cidr_blocks = ["0.0.0.0/0"]', "x: 1")),
]


@pytest.mark.parametrize(("rule", "change"), TOLD.items(), ids=TOLD)
def test_each_rule_tells_its_change(rule: str, change: Change) -> None:
    assert rule in told(*change)


def test_every_rule_has_an_example() -> None:
    assert sorted(TOLD) == sorted(ids(terraform.RULES))


@pytest.mark.parametrize(("rule", "change"), QUIET)
def test_a_rule_is_quiet_where_there_is_nothing_to_tell(rule: str, change: Change) -> None:
    assert rule in ids(terraform.RULES)
    assert rule not in told(*change)


@pytest.mark.parametrize(
    ("rule", "old", "new"),
    [
        ("tf/prevent-destroy-off", '"prevent_destroy": true', '"prevent_destroy": false'),
        ("tf/prevent-destroy-removed", '"prevent_destroy": true', '"prevent_destroy": false'),
        ("tf/public", "x", '"publicly_accessible": true,'),
        ("tf/encryption-off", "x", '"storage_encrypted": false'),
        ("tf/lowered", '"min_size": 3,', '"min_size": 1,'),
        ("tf/redundancy-off", "x", '"status": "Suspended"'),
        ("tf/switched-off", '"versioning": {\n  "x": 1', '"versioning": {\n  "enabled": false'),
    ],
)
def test_json_is_read_as_hcl_is(rule: str, old: str, new: str) -> None:
    assert rule in told("main.tf.json", old, new)
