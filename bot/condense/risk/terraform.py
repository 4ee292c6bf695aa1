"""Risk rules for Terraform and OpenTofu: what is destroyed, exposed, or no longer guarded."""

from __future__ import annotations

import re
from typing import Final

from bot.condense.risk.kubernetes import lowered
from bot.condense.risk.rule import Added, Changed, Gone, Rule, Touched

PATHS: Final = re.compile(r"\.(?:tf|tfvars|tofu|hcl|tf\.json)$", re.I)

_IS: Final = r"\"?\s*[:=]\s*\"?"
"""Between a name and its value, as HCL and JSON (``.tf.json``) have it."""
_JSON_TYPE: Final = (
    r"^\s*\"(?:aws|google|azurerm|azuread|kubernetes|helm|cloudflare|digitalocean|oci|alicloud|openstack|vsphere|hcloud"
    r"|scaleway|linode|github|gitlab|datadog|vault|consul|postgresql|mysql|mongodbatlas|snowflake|databricks)_\w+\"\s*:\s*[\[{]"
)
_OUTWARDS: Final = r"^(?:dynamic\s+\")?egress\b"

RULES: Final[tuple[Rule, ...]] = (
    Gone(
        "tf/prevent-destroy-removed",
        "critical",
        rf"\bprevent_destroy{_IS}true",
        "Nothing stops the next apply from destroying this resource.",
    ),
    Added(
        "tf/prevent-destroy-off",
        "critical",
        rf"\bprevent_destroy{_IS}false",
        "Nothing stops the next apply from destroying this resource.",
    ),
    Added(
        "tf/force-destroy",
        "critical",
        rf"\bforce_(?:destroy|delete){_IS}true|\bskip_final_snapshot{_IS}true"
        rf"|\bdelete_automated_backups{_IS}true",
        "It is deleted with all it holds, and without a last backup.",
    ),
    Gone(
        "tf/deletion-protection-removed",
        "critical",
        rf"\b(?:deletion_protection|enable_deletion_protection|termination_protection|disable_api_termination|deletion_protection_enabled){_IS}true",
        "What kept a person or a plan from deleting it is gone.",
    ),
    Added(
        "tf/deletion-protection-off",
        "critical",
        rf"\b(?:deletion_protection|enable_deletion_protection|termination_protection|disable_api_termination|deletion_protection_enabled){_IS}false",
        "Nothing keeps a person or a plan from deleting it.",
    ),
    Gone(
        "tf/resource-removed",
        "critical",
        r"^\s*resource\s+\"[^\"]+\"\s+\"[^\"]+\"",
        "The next apply destroys this resource (or, renamed with no moved block, destroys and makes it anew).",
    ),
    Gone(
        "tf/json-resource-removed",
        "critical",
        rf"{_JSON_TYPE}|^\s*\"resource\"\s*:\s*[\[{{]",
        "The next apply destroys the resources of this type that are declared here no more.",
    ),
    Gone(
        "tf/json-instance-removed",
        "critical",
        r"^\s*\"[\w\-]+\"\s*:\s*\[?\s*\{",
        "The next apply destroys this resource.",
        within=_JSON_TYPE,
    ),
    Gone(
        "tf/module-removed",
        "critical",
        r"^\s*module\s+\"[^\"]+\"",
        "The next apply destroys all that this module made.",
    ),
    Added(
        "tf/open-to-all", "critical", r"\b0\.0\.0\.0/0\b|::/0\b", "Any address in the world is meant.", beyond=_OUTWARDS
    ),
    Added(
        "tf/public",
        "critical",
        rf"\b(?:publicly_accessible|associate_public_ip_address|public_network_access_enabled|map_public_ip_on_launch|endpoint_public_access){_IS}true"
        rf"|\bacl{_IS}public-|\"(?:allUsers|allAuthenticatedUsers)\"|\bblock_public_\w+{_IS}false",
        "It may be reached from the internet.",
    ),
    Added(
        "tf/iam-wildcard",
        "critical",
        r"(?i)\b(?:actions?|resources?|principals?|not_?actions?|identifiers)\"?\s*[:=]\s*\[?\s*\"(?:\w+:)?\*\""
        r"|\broles/(?:owner|editor)\b|\bAdministratorAccess\b",
        "The permission covers everything.",
    ),
    Gone(
        "tf/encryption-removed",
        "high",
        r"\b(?:storage_encrypted|encrypted|enable_key_rotation|at_rest_encryption_enabled|transit_encryption_enabled|server_side_encryption\w*|kms_key_id|kms_key_name|require_ssl|ssl_mode)\b",
        "Data may no longer be encrypted.",
    ),
    Added(
        "tf/encryption-off",
        "high",
        rf"\b(?:storage_encrypted|encrypted|enable_key_rotation|at_rest_encryption_enabled|transit_encryption_enabled|require_ssl){_IS}false",
        "Data is not encrypted.",
    ),
    Gone(
        "tf/backup-removed",
        "high",
        r"\b(?:backup_retention_period|backup_configuration|point_in_time_recovery|versioning|backup_policy|final_snapshot_identifier|lifecycle_rule)\b",
        "A way back to earlier data may be gone.",
    ),
    Added(
        "tf/redundancy-off",
        "high",
        r"\b(?:multi_az|zone_redundant|automatic_failover_enabled|multi_az_enabled|purge_protection_enabled"
        r"|point_in_time_recovery_enabled|backup_enabled|binary_log_enabled|soft_delete_enabled|versioning_enabled"
        rf"|enable_log_file_validation|enable_logging|deletion_window_enabled){_IS}false"
        rf"|\bavailability_type{_IS}ZONAL|\bstatus{_IS}(?:Suspended|Disabled)",
        "One failure can take it down, or nothing leads back to earlier data.",
    ),
    Gone(
        "tf/redundancy-removed",
        "high",
        r"\b(?:multi_az|zone_redundant|automatic_failover_enabled|multi_az_enabled|purge_protection_enabled"
        rf"|point_in_time_recovery_enabled|backup_enabled|soft_delete_enabled|versioning_enabled){_IS}true",
        "One failure can take it down, or nothing leads back to earlier data.",
    ),
    Added(
        "tf/switched-off",
        "high",
        rf"\benabled{_IS}false",
        "A way back, a record or a protection is off.",
        inside=r"^\s*\"?(?:point_in_time_recovery|versioning\w*|backup\w*|logging\w*|\w*encrypt\w*|\w*protection\w*)"
        r"(?:\"\s*:)?\s*\[?\s*\{",
    ),
    Added(
        "tf/ignores-changes",
        "high",
        rf"\bignore_changes{_IS}\[?\s*\"?all\b",
        "Whatever is changed by hand, or here, is never put right.",
    ),
    Gone(
        "tf/lifecycle-removed",
        "high",
        r"^\s*(?:lifecycle\s*\{|ignore_changes\s*=|create_before_destroy\s*=)",
        "How the resource survives a change is no longer given: the next plan may replace it.",
    ),
    Added(
        "tf/replaces",
        "high",
        r"\b(?:replace_triggered_by|force_new|-replace)\b",
        "The resource is destroyed and made anew.",
    ),
    Changed(
        "tf/lowered",
        "high",
        rf"^\s*\"?(backup_retention_period|retention_in_days|retention_days|min_size|desired_capacity|desired_size|max_size|min_count|max_count|node_count|count|instance_count|num_nodes|allocated_storage|replicas|min_instances|memory_size|min_capacity|number_of_nodes){_IS}([^\s#\",]+)",
        "{key} is lower: less capacity, or a shorter way back.",
        lowered,
    ),
    Touched(
        "tf/provider",
        "high",
        r"^\s*(?:provider|backend)\s+\"|\brequired_version\b|^\s*terraform\s*\{",
        "Which account, state or provider is used is set here.",
    ),
    Touched(
        "tf/state",
        "high",
        r"^\s*(?:moved|import|removed)\s*\{|\bdestroy\s*=",
        "What the state says about a resource is changed.",
    ),
    Touched(
        "tf/replacement-prone",
        "medium",
        r"^\s*(?:name|identifier|cluster_identifier|db_name|engine|availability_zones?|subnet_ids?|vpc_id|location|region|zone|instance_type|machine_type|instance_class|tier|engine_version|ami|image_id|kubernetes_version|cluster_version|cidr_block|key_name|network|subnetwork)\s*=",
        "For many resources a change here means to destroy and make anew: look at the plan.",
    ),
    Touched(
        "tf/network",
        "medium",
        r"\b(?:ingress|egress|cidr_blocks|source_ranges|security_groups?|security_group_ids|allowed_ip_ranges|from_port|to_port|authorized_networks)\b",
        "Who reaches what is set here.",
    ),
    Touched(
        "tf/iam",
        "medium",
        r"\b(?:policy|assume_role_policy|iam_\w+|role|roles|members|service_account|managed_policy_arns|policy_arn)\b\s*[={\"]",
        "Who may do what is set here.",
    ),
    Touched(
        "tf/version", "medium", r"^\s*(?:version|source)\s*=", "Which module or provider version is used is set here."
    ),
    Touched("tf/resource", "low", r"^\s*(?:resource|module|data)\s+\"", "What exists is declared here."),
    Touched(
        "tf/meta",
        "low",
        r"^\s*(?:count|for_each|depends_on|triggers|command|default|enabled|value)\s*[={]|^\s*provisioner\b"
        r"|\blocal-exec\b",
        "How many there are, in which order, or what is run.",
    ),
)
