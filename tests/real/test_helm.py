"""The chart, rendered by the real helm: Helm 4 and Helm 3, every scenario of ``ci/``, and what must be refused.

The binaries are those of ``python .ci/tools/helm.py``; ``SIGNOFF_HELM`` names another one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any, NamedTuple

import kubernetes_validate
import pytest
import yaml
from kubernetes.config import incluster_config

from bot import shipped
from bot.cli import main
from bot.runbooks import catalogue
from bot.runbooks.rbac import roles
from bot.settings import Configuration, table
from bot.structure import Structure

ROOT = Path(__file__).parents[2]
CHART = ROOT / "helm" / "signoff"
SCENARIOS = sorted(path.name.removesuffix("-values.yaml") for path in CHART.glob("ci/*-values.yaml"))
OLDEST, NEWEST = "1.27", "1.37"


def binaries() -> dict[str, Path]:
    """Find helm: the one that SIGNOFF_HELM names, else the fetched ones, else the one on PATH."""
    if named := os.environ.get("SIGNOFF_HELM"):
        return {"helm": Path(named)}
    fetched = {name: ROOT / "var" / "bin" / name for name in ("helm", "helm3")}
    found = {name: path for name, path in fetched.items() if path.exists()}
    installed = shutil.which("helm")
    return found or ({"helm": Path(installed)} if installed else {})


BINARIES = binaries()


@pytest.fixture(scope="module", params=["helm", "helm3"])
def helm(request: pytest.FixtureRequest) -> Path:
    if request.param not in BINARIES:
        # In CI an absent helm is a failure, never a reason to leave tests out.
        missing = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        missing(f"there is no {request.param}: run `python .ci/tools/helm.py`, or set SIGNOFF_HELM")
    return BINARIES[request.param]


class Outcome(NamedTuple):
    code: int
    documents: list[dict[str, Any]]
    said: str


def run(helm: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([helm, *arguments], capture_output=True, text=True, timeout=30, check=False)


def render(helm: Path, scenario: str, values: dict[str, Any] | None = None, *, release: str = "signoff") -> Outcome:
    """Render a scenario with further values, in the namespace signoff."""
    given = ["--values", str(CHART / "ci" / f"{scenario}-values.yaml")]
    for name, value in (values or {}).items():
        given += ["--set-json", f"{name}={json.dumps(value)}"]
    done = run(helm, "template", release, str(CHART), "--namespace", "signoff", *given)
    documents = [each for each in yaml.safe_load_all(done.stdout) if each] if done.returncode == 0 else []
    return Outcome(done.returncode, documents, done.stderr)


def one(documents: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    [found] = [each for each in documents if each["kind"] == kind]
    return found


def of(documents: list[dict[str, Any]], *kinds: str) -> list[dict[str, Any]]:
    return [each for each in documents if each["kind"] in kinds]


def pod(documents: list[dict[str, Any]]) -> dict[str, Any]:
    return dict(one(documents, "Deployment")["spec"]["template"]["spec"])


def environment(documents: list[dict[str, Any]]) -> dict[str, Any]:
    [container] = pod(documents)["containers"]
    names = [each["name"] for each in container["env"]]
    assert len(names) == len(set(names))
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in container["env"]}


@pytest.fixture(scope="module", params=SCENARIOS)
def rendered(helm: Path, request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    outcome = render(helm, request.param)
    assert outcome.code == 0, outcome.said
    return outcome.documents


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_lints_without_a_warning(helm: Path, scenario: str) -> None:
    values = str(CHART / "ci" / f"{scenario}-values.yaml")
    done = run(helm, "lint", "--strict", str(CHART), "--values", values)
    assert done.returncode == 0, done.stdout
    assert "[WARNING]" not in done.stdout + done.stderr


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_every_document_is_valid_kubernetes(rendered: list[dict[str, Any]], version: str) -> None:
    for document in rendered:
        kubernetes_validate.validate(document, version, strict=True)


def test_every_document_says_what_it_belongs_to(rendered: list[dict[str, Any]]) -> None:
    for document in rendered:
        labels = document["metadata"]["labels"]
        assert labels["app.kubernetes.io/name"] == "signoff"
        assert labels["app.kubernetes.io/instance"] == "signoff"
    selector = one(rendered, "Deployment")["spec"]["selector"]["matchLabels"]
    assert selector.items() <= one(rendered, "Deployment")["spec"]["template"]["metadata"]["labels"].items()
    assert one(rendered, "Service")["spec"]["selector"] == selector


def test_the_pod_keeps_to_the_restricted_profile(rendered: list[dict[str, Any]]) -> None:
    """https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted"""
    spec = pod(rendered)
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["securityContext"].get("runAsUser") != 0
    [container] = spec["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert all("hostPort" not in port for port in container["ports"])
    allowed = {"configMap", "emptyDir", "projected", "secret", "persistentVolumeClaim"}
    assert {kind for volume in spec["volumes"] for kind in set(volume) - {"name"}} <= allowed


def test_the_pod_is_bounded_and_probed(rendered: list[dict[str, Any]]) -> None:
    [container] = pod(rendered)["containers"]
    assert container["resources"]["requests"].keys() == {"cpu", "memory"}
    assert "memory" in container["resources"]["limits"]
    probes = {name: container[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert {name: probe["path"] for name, probe in probes.items()} == {
        "startupProbe": "/healthz",
        "livenessProbe": "/healthz",
        "readinessProbe": "/readyz",
    }
    [port] = container["ports"]
    assert {probe["port"] for probe in probes.values()} == {port["name"]}
    assert one(rendered, "Service")["spec"]["ports"][0]["targetPort"] == port["name"]
    assert environment(rendered)["SIGNOFF_LISTEN"].endswith(f":{port['containerPort']}")


def test_one_pod_at_a_time_serves_a_sqlite_file(rendered: list[dict[str, Any]]) -> None:
    deployment = one(rendered, "Deployment")["spec"]
    assert deployment["replicas"] == 1
    on_a_file = "SIGNOFF_DATABASE_URL" in environment(rendered)
    assert deployment["strategy"] == {"type": "Recreate" if on_a_file else "RollingUpdate"}


def test_several_pods_serve_with_postgresql(helm: Path) -> None:
    outcome = render(helm, "minimal", {"replicas": 3, "database.urlKey": "url"})
    assert outcome.code == 0, outcome.said
    assert one(outcome.documents, "Deployment")["spec"]["replicas"] == 3


def test_every_mount_has_its_volume(rendered: list[dict[str, Any]]) -> None:
    spec = pod(rendered)
    [container] = spec["containers"]
    assert sorted(mount["name"] for mount in container["volumeMounts"]) == sorted(
        volume["name"] for volume in spec["volumes"]
    )


def test_the_container_runs_a_command_that_exists(rendered: list[dict[str, Any]]) -> None:
    [container] = pod(rendered)["containers"]
    assert "command" not in container
    assert container["args"][0] in main.commands


def test_only_settings_are_set(rendered: list[dict[str, Any]]) -> None:
    listed = " ".join(variable for variable, _, _ in table())
    assert [name for name in environment(rendered) if f"`{name}`" not in listed] == []


def test_no_secret_is_in_the_manifests(rendered: list[dict[str, Any]]) -> None:
    for secret in of(rendered, "Secret"):
        assert secret["type"] == "kubernetes.io/service-account-token"
        assert not {"data", "stringData"} & set(secret)
    for name, value in environment(rendered).items():
        if name.endswith("_FILE"):
            assert value.startswith("/var/run/secrets/signoff/")


def test_nothing_mounts_a_token_by_itself(rendered: list[dict[str, Any]]) -> None:
    assert pod(rendered)["automountServiceAccountToken"] is False
    for account in of(rendered, "ServiceAccount"):
        assert account["automountServiceAccountToken"] is False


def test_the_configuration_loads_as_the_pod_sees_it(rendered: list[dict[str, Any]], tmp_path: Path) -> None:
    """Lay the pod's files out in a folder, point its environment there, and let the bot read its configuration."""
    secrets = {
        "SIGNOFF_ALERTMANAGER_TOKEN": "0123456789abcdef",
        "SIGNOFF_SECRET_KEY": "k1:0123456789abcdef0123456789abcdef",
        "SLACK_APP_TOKEN": "xapp-1",
        "SLACK_BOT_TOKEN": "xoxb-1",
    }
    spec = pod(rendered)
    [container] = spec["containers"]
    folders = {mount["name"]: tmp_path / mount["mountPath"].lstrip("/") for mount in container["volumeMounts"]}
    for volume in spec["volumes"]:
        files: dict[str, str] = {}
        if "secret" in volume:
            paths = [item["path"] for item in volume["secret"]["items"]]
            files = {path: secrets.get(path, "postgresql://db/signoff") for path in paths}
        elif volume["name"] == "config":
            files = one(rendered, "ConfigMap")["data"]
        folders[volume["name"]].mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folders[volume["name"]] / name).write_text(content)
    given = {
        name: str(tmp_path / value.lstrip("/")) if isinstance(value, str) and value.startswith("/") else value
        for name, value in environment(rendered).items()
        if isinstance(value, str)
    }

    loaded = Configuration.load(given)

    # Of the key only what follows its name is secret.
    held = secrets | {"SIGNOFF_SECRET_KEY": "0123456789abcdef0123456789abcdef"}
    found = loaded.settings.secrets()
    assert {name: found[name][0] for name in held} == held
    assert loaded.structure.channel == "C0123ABCD"
    assert "prod" in loaded.structure.clusters


def test_the_two_tokens_are_where_the_bot_reads_them(helm: Path) -> None:
    documents = render(helm, "minimal").documents
    spec = pod(documents)
    [container] = spec["containers"]
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in spec["volumes"]}

    own = volumes[mounts[str(Path(incluster_config.SERVICE_TOKEN_FILENAME).parent)]]["projected"]["sources"]
    assert [source["serviceAccountToken"]["path"] for source in own if "serviceAccountToken" in source] == ["token"]
    [authority] = [source["configMap"] for source in own if "configMap" in source]
    assert authority == {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
    assert Path(incluster_config.SERVICE_CERT_FILENAME).name == "ca.crt"

    structure = Structure.model_validate(yaml.safe_load(one(documents, "ConfigMap")["data"]["config.yaml"]))
    cluster = structure.clusters["prod"]
    assert cluster.runner is not None
    assert cluster.runner.token_file is not None
    assert cluster.reader.token_file is None
    token = volumes[mounts[str(cluster.runner.token_file.parent)]]["secret"]
    made = one(documents, "Secret")
    assert token["secretName"] == made["metadata"]["name"]
    assert token["items"] == [{"key": "token", "path": cluster.runner.token_file.name}]

    accounts = [each["metadata"]["name"] for each in of(documents, "ServiceAccount")]
    assert accounts == ["signoff-reader", "signoff-runner"]
    assert spec["serviceAccountName"] == "signoff-reader"
    assert made["metadata"]["annotations"]["kubernetes.io/service-account.name"] == "signoff-runner"


def test_by_default_nothing_is_granted(helm: Path) -> None:
    documents = render(helm, "minimal").documents
    assert of(documents, "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding") == []


def test_the_roles_are_what_signoff_rbac_prints(helm: Path) -> None:
    namespaces = ["shop", "bank"]
    rendered = of(render(helm, "minimal", {"rbac.namespaces": namespaces}).documents, "Role", "RoleBinding")
    for document in rendered:
        del document["metadata"]["labels"]

    def by_name(document: dict[str, Any]) -> tuple[str, ...]:
        return (document["kind"], document["metadata"]["namespace"], document["metadata"]["name"])

    printed = roles(catalogue.load(shipped.runbooks(None)), namespaces, "signoff")
    assert sorted(rendered, key=by_name) == sorted(printed, key=by_name)


def test_nodes_are_read_only_when_asked_for(helm: Path) -> None:
    documents = render(helm, "watching").documents
    assert one(documents, "ClusterRole")["rules"] == [
        {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list"]}
    ]
    [subject] = one(documents, "ClusterRoleBinding")["subjects"]
    assert subject["name"] == pod(documents)["serviceAccountName"]


def test_nodes_are_drained_only_when_asked_for(helm: Path) -> None:
    documents = render(helm, "minimal", {"rbac.drain": True}).documents
    role, binding = one(documents, "ClusterRole"), one(documents, "ClusterRoleBinding")
    printed = roles(catalogue.load(shipped.runbooks(None)), [], "signoff", nodes=True)
    assert role["rules"] == printed[0]["rules"]
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert [subject["name"] for subject in binding["subjects"]] == ["signoff-runner"]
    assert of(render(helm, "readonly", {"rbac.drain": True}).documents, "ClusterRole") == []


def test_without_a_runner_nothing_can_change(helm: Path) -> None:
    documents = render(helm, "readonly").documents
    verbs = {verb for role in of(documents, "Role") for rule in role["rules"] for verb in rule["verbs"]}
    assert verbs == {"get", "list"}
    assert of(documents, "Secret") == []
    structure = Structure.model_validate(yaml.safe_load(one(documents, "ConfigMap")["data"]["config.yaml"]))
    assert structure.clusters["prod"].runner is None
    assert structure.namespaces == ["shop"]


def test_postgresql_needs_no_volume_and_its_url_stays_in_the_secret(helm: Path) -> None:
    documents = render(helm, "elsewhere").documents
    assert of(documents, "PersistentVolumeClaim") == []
    assert "persistentVolumeClaim" not in str(pod(documents)["volumes"])
    assert "SIGNOFF_DATABASE_URL" not in environment(documents)
    assert environment(documents)["SIGNOFF_DATABASE_URL_FILE"].endswith("/settings/SIGNOFF_DATABASE_URL")
    [settings] = [each for each in pod(documents)["volumes"] if each["name"] == "settings"]
    assert {"key": "database-url", "path": "SIGNOFF_DATABASE_URL"} in settings["secret"]["items"]


def test_a_release_outside_its_clusters_has_no_token_at_all(helm: Path) -> None:
    documents = render(helm, "elsewhere").documents
    assert "serviceAccountToken" not in str(documents)
    assert of(documents, "Secret") == []


def test_sqlite_lies_on_the_claim_which_outlives_the_release(helm: Path) -> None:
    documents = render(helm, "minimal").documents
    claim = one(documents, "PersistentVolumeClaim")
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    [volume] = [each for each in pod(documents)["volumes"] if "persistentVolumeClaim" in each]
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    [container] = pod(documents)["containers"]
    [mount] = [each for each in container["volumeMounts"] if each["name"] == volume["name"]]
    path = str(environment(documents)["SIGNOFF_DATABASE_URL"]).removeprefix("sqlite:///")
    assert Path(path).parent == Path(mount["mountPath"])


def test_a_change_of_the_configuration_replaces_the_pod(helm: Path) -> None:
    def checksum(values: dict[str, Any]) -> str:
        template = one(render(helm, "minimal", values).documents, "Deployment")["spec"]["template"]
        return str(template["metadata"]["annotations"]["checksum/config"])

    assert checksum({}) == checksum({"service.port": 80})
    assert checksum({}) != checksum({"config.default_cluster": "prod"})


def test_a_digest_wins_over_the_tag(helm: Path) -> None:
    def image(values: dict[str, Any]) -> str:
        return str(pod(render(helm, "minimal", values).documents)["containers"][0]["image"])

    digest = "sha256:" + "0" * 64
    repository = "registry.example.com/signoff"
    assert image({}) == f"{repository}:{yaml.safe_load((CHART / 'Chart.yaml').read_text())['appVersion']}"
    assert image({"image.tag": "v2"}) == f"{repository}:v2"
    assert image({"image.tag": "v2", "image.digest": digest}) == f"{repository}@{digest}"


def test_the_network_policy_lets_in_and_out_what_it_lists(helm: Path) -> None:
    assert of(render(helm, "minimal").documents, "NetworkPolicy") == []
    closed = one(render(helm, "readonly").documents, "NetworkPolicy")["spec"]
    assert closed["policyTypes"] == ["Ingress"]
    assert closed["ingress"] == [{"ports": [{"port": "http", "protocol": "TCP"}]}]
    listed = one(render(helm, "watching").documents, "NetworkPolicy")["spec"]
    assert listed["policyTypes"] == ["Ingress", "Egress"]
    assert [port["port"] for rule in listed["egress"] for port in rule["ports"]] == [53, 53, 443, 6443]


def test_names_that_yaml_takes_for_something_else_stay_names(helm: Path) -> None:
    values = {
        "rbac.namespaces": ["123", "on", "0x1f", "1e3", "null"],
        "inCluster.name": "123",
        "secret.name": "1.5",
        "serviceAccounts.reader": "10",
        "persistence.existingClaim": "12",
        "priorityClassName": "yes",
    }
    outcome = render(helm, "minimal", values, release="my.rel")
    assert outcome.code == 0, outcome.said
    for document in outcome.documents:
        kubernetes_validate.validate(document, NEWEST, strict=True)
    assert {each["metadata"]["namespace"] for each in of(outcome.documents, "Role")} == set(values["rbac.namespaces"])
    assert one(outcome.documents, "Service")["metadata"]["name"] == "my-rel-signoff"


def test_a_long_release_name_makes_names_that_are_short_enough(helm: Path) -> None:
    documents = render(helm, "watching", release="r" * 53).documents
    names = [
        each["metadata"]["name"] for each in documents if each["kind"] not in ("ClusterRole", "ClusterRoleBinding")
    ]
    assert all(len(name) <= 63 for name in names)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"image.repository": ""}, "image.repository: give the image"),
    ({"secret.name": ""}, "secret.name: give the Secret"),
    ({"config.channel": ""}, "config.channel: give the id"),
    ({"inCluster.name": ""}, "inCluster.name: give the name"),
    ({"config.clusters": {"prod": {"reader": {"context": "x"}}}}, "name it in one place"),
    ({"serviceAccounts.runner": "signoff-reader"}, "must be two accounts"),
    (
        {"inCluster.name": "", "rbac.namespaces": ["shop"], "config.clusters": {"a": {"reader": {"context": "a"}}}},
        "rbac.namespaces: these Roles are for the cluster that the pod runs in",
    ),
    ({"replicas": 3}, "database"),
    ({"replicas": 8, "database.urlKey": "url"}, "replicas"),
    ({"image.tga": "v1"}, "tga"),
    ({"config.chanel": "C0123ABCD"}, "chanel"),
    ({"config.approvers": "T0123ABCD:U0123ABCD"}, "approvers"),
    ({"rbac.namespaces": ["*"]}, "namespaces"),
    ({"rbac.namespaces": ["shop", "shop"]}, "namespaces"),
    ({"secret.keys.SLACK_BOT_TOKEN": None}, "SLACK_BOT_TOKEN"),
    ({"secret.keys.PASSWORD": "x"}, "PASSWORD"),
    ({"extraEnv": [{"name": "SLACK_BOT_TOKEN", "value": "xoxb-1"}]}, "extraEnv"),
    ({"podSecurityContext.runAsUser": 0}, "runAsUser"),
    ({"podSecurityContext.runAsNonRoot": False}, "runAsNonRoot"),
]


@pytest.mark.parametrize(
    ("values", "sentence"), REFUSED, ids=lambda each: ",".join(each) if isinstance(each, dict) else ""
)
def test_refuses_values_that_cannot_work(helm: Path, values: dict[str, Any], sentence: str) -> None:
    outcome = render(helm, "minimal", values)
    assert outcome.code != 0
    assert sentence in outcome.said


def test_the_readme_s_values_are_enough(helm: Path, tmp_path: Path) -> None:
    [block] = re.findall(r"^```yaml\n(.*?)^```$", (CHART / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    values = tmp_path / "my-values.yaml"
    values.write_text(block)
    done = run(helm, "template", "signoff", str(CHART), "--namespace", "signoff", "--values", str(values))
    assert done.returncode == 0, done.stderr
    assert {each["metadata"]["namespace"] for each in of(list(yaml.safe_load_all(done.stdout)), "Role")} == {"shop"}


def test_the_notes_say_where_alerts_go_and_what_is_still_missing(helm: Path) -> None:
    def notes(scenario: str) -> str:
        values = str(CHART / "ci" / f"{scenario}-values.yaml")
        done = run(helm, "install", "signoff", str(CHART), "-n", "signoff", "--values", values, "--dry-run=client")
        if "cluster unreachable" in done.stderr:
            pytest.skip("this helm asks a cluster before it shows notes (Helm 3 does)")
        assert done.returncode == 0, done.stderr
        return done.stdout.partition("NOTES:")[2]

    assert "http://signoff.signoff.svc:8080/webhooks/alertmanager" in notes("minimal")
    assert "config.approvers" in notes("minimal")
    assert "rbac.namespaces" in notes("minimal")
    assert "config.approvers" not in notes("watching")
    assert "rbac.namespaces" not in notes("watching")


def test_refuses_an_older_kubernetes(helm: Path) -> None:
    values = str(CHART / "ci" / "minimal-values.yaml")
    done = run(helm, "template", "signoff", str(CHART), "--values", values, "--kube-version", "1.26.0")
    assert done.returncode != 0
    assert "1.27" in done.stderr


def test_what_is_not_for_the_cluster_is_not_packaged(helm: Path, tmp_path: Path) -> None:
    done = run(helm, "package", str(CHART), "--destination", str(tmp_path))
    assert done.returncode == 0, done.stderr
    [archive] = tmp_path.glob("*.tgz")
    with tarfile.open(archive) as files:
        names = set(files.getnames())
    assert {"signoff/values.schema.json", "signoff/README.md", "signoff/templates/NOTES.txt"} <= names
    assert not [name for name in names if name.startswith("signoff/ci/")]
