"""The files of the deployment guide: their own programs read them, and they say what the guide says."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from django.urls import reverse

from marketplace import metrics

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / "docs" / "deployment"
UNITS = sorted([*FILES.glob("*.service"), *FILES.glob("*.timer")])
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]
PROGRAMS = "/opt/databourse/venv/bin/"


def variables(path: Path) -> dict[str, str]:
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def directives(unit: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in unit.read_text().splitlines():
        if re.match(r"[A-Z]\w+=", line):
            name, value = line.split("=", 1)
            found.setdefault(name, []).append(value)
    return found


def program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    return found or pytest.skip(f"{name} is not on this machine")


# --- settings ------------------------------------------------------------------------------------------------------


def check_deploy(**changed: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    said = kept | variables(FILES / "exchange.env") | changed
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    return subprocess.run(command, cwd=ROOT, env=said, capture_output=True, text=True, check=False)


def test_with_the_guides_settings_production_is_clean():
    done = check_deploy()
    assert (done.returncode, done.stdout) == (0, "System check identified no issues (0 silenced).\n"), done.stderr


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("SECRET_KEY", "development-only-and-refused-when-DEBUG-is-off", "marketplace.E002"),
        ("ALLOWED_HOSTS", "", "marketplace.E003"),
        ("SANDBOX_GATEWAY", "on", "marketplace.E004"),
        ("BASE_URL", "http://127.0.0.1:8000", "marketplace.E005"),
    ],
)
def test_without_what_is_needed_production_refuses_to_start(name, value, code):
    done = check_deploy(**{name: value})
    assert done.returncode == 1 and code in done.stderr


def test_the_guide_names_only_settings_that_are_read():
    table = set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "operators.md").read_text(), re.MULTILINE))
    assert set(variables(FILES / "exchange.env")) - table == {"DATABOURSE_PACKAGES"}
    assert set(variables(FILES / "owner.env")) == {"DATABASE_URL"}


# --- units ---------------------------------------------------------------------------------------------------------


def test_systemd_reads_every_unit_without_a_word(tmp_path):
    for unit in UNITS:
        text = unit.read_text().replace(PROGRAMS, f"{Path(sys.executable).parent}/")
        (tmp_path / unit.name).write_text(text)
    command = [program("systemd-analyze"), "verify", "--man=no", *[str(tmp_path / unit.name) for unit in UNITS]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.stem)
def test_every_service_is_walled_in(unit):
    said = directives(unit)
    assert said["User"][0] in ("databourse", "databourse_owner")
    for name in ("NoNewPrivileges", "ProtectHome", "PrivateTmp", "PrivateDevices", "RestrictSUIDSGID"):
        assert said[name] == ["yes"], name
    assert said["ProtectSystem"] == ["strict"] and said["CapabilityBoundingSet"] == [""]
    namespaces = "user mnt pid net ipc uts" if unit.stem == "databourse-worker" else "yes"
    assert said["RestrictNamespaces"] == [namespaces]


def test_units_start_the_programs_that_the_page_for_operators_names():
    page = (ROOT / "docs" / "operators.md").read_text()
    for unit, start in (("web", "--workers 2 --blocking-threads 32 --no-ws"), ("worker", "--pool prefork")):
        assert start in page and start in directives(FILES / f"databourse-{unit}.service")["ExecStart"][0]


# --- nginx ---------------------------------------------------------------------------------------------------------


def test_nginx_reads_its_site(tmp_path):
    nginx = program("nginx")
    subprocess.run(
        [program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=x",
         "-keyout", tmp_path / "privkey.pem", "-out", tmp_path / "fullchain.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    site = (FILES / "nginx.conf").read_text()
    site = site.replace("/etc/databourse/tls", str(tmp_path)).replace("/var/log/nginx", str(tmp_path))
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    kept = "".join(f"{kind}_temp_path {tmp_path}/{kind};" for kind in kinds)
    (tmp_path / "site.conf").write_text(re.sub(r"(listen (?:\[::\]:)?)(80|443)", r"\g<1>1\2", site))
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid; error_log stderr; events {{}} http {{ {kept} include {tmp_path}/site.conf; }}"
    )
    command = [nginx, "-t", "-q", "-e", "stderr", "-c", str(tmp_path / "nginx.conf")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [line for line in done.stderr.splitlines() if "[warn]" in line or "[emerg]" in line]
    assert (done.returncode, lines) == (0, [])


def test_nginx_keeps_inside_what_is_for_operators_and_sends_files_where_the_settings_say():
    site = (FILES / "nginx.conf").read_text()
    assert "location = /readyz { return 404; }" in site and "location = /metrics { return 404; }" in site
    place = variables(FILES / "exchange.env")["ACCEL_LOCATION"]
    assert re.search(rf"location {place} {{\s+internal;\s+alias /var/lib/databourse/storage/;", site)


@pytest.mark.parametrize(
    ("path", "takes_files"),
    [
        (reverse("api_release_file", args=["L1", 7, "folder/rows.csv"]), True),
        (reverse("api_upload", args=["u1"]), True),
        (reverse("studio_files", args=["L1", 7]), True),
        (reverse("api_trades"), False),
        (reverse("studio_offer", args=["L1"]), False),
        (reverse("home"), False),
    ],
)
def test_nginx_takes_large_bodies_where_files_are_sent_and_nowhere_else(path, takes_files):
    (pattern,) = re.findall(r"location ~ (\S+) \{\s+client_max_body_size 20g;", (FILES / "nginx.conf").read_text())
    assert bool(re.match(pattern, path)) is takes_files, path


# --- containers ----------------------------------------------------------------------------------------------------

INSTRUCTIONS = {"ARG", "FROM", "ENV", "RUN", "COPY", "WORKDIR", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "CMD"}


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"^#.*\n", "", (FILES / "Containerfile").read_text(), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in lines if line.strip()]


def test_the_image_is_made_of_known_instructions_and_runs_as_nobody_special():
    found = instructions()
    assert {name for name, _rest in found} == INSTRUCTIONS
    assert found[0] == ("ARG", "PYTHON=docker.io/library/python:3.11.14-slim-bookworm")
    assert [rest for name, rest in found if name == "FROM"] == ["${PYTHON} AS packages", "${PYTHON}"]
    assert [rest for name, rest in found if name == "USER"] == ["10001"]
    for name, rest in found:
        if name in ("CMD", "VOLUME"):
            assert json.loads(rest)
        if name == "HEALTHCHECK":
            assert json.loads(rest.split("CMD", 1)[1])
        if name == "COPY" and not rest.startswith("--"):
            assert (ROOT / rest.split()[0]).exists()
    assert any("--require-hashes --no-deps" in rest for name, rest in found if name == "RUN")


def test_the_composition_follows_its_schema():
    pytest.importorskip("check_jsonschema", reason="one of the packages of the checks")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*command, str(FILES / "compose.yaml")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_container_has_a_version_a_health_check_and_little_power():
    services = yaml.safe_load((FILES / "compose.yaml").read_text())["services"]
    for name, service in services.items():
        version = service["image"].rpartition(":")[2]
        assert re.match(r"\d+\.\d+", version), f"{name} is not pinned: {service['image']}"
        if name not in ("postgres", "redis"):
            assert service["user"] == "10001" and service["cap_drop"] == ["ALL"] and service["read_only"]
        if name in ("postgres", "redis", "worker"):
            assert service["healthcheck"]["test"][0] == "CMD"
    assert services["migrate"]["restart"] == "no"
    assert (FILES / services["postgres"]["volumes"][1].split(":")[0]).exists()


# --- alerts --------------------------------------------------------------------------------------------------------


def alerts() -> list[dict]:
    return [rule for group in yaml.safe_load((FILES / "alerts.yml").read_text())["groups"] for rule in group["rules"]]


@pytest.mark.django_db
def test_alerts_ask_for_figures_that_are_told():
    metrics.count_request("GET", "home", 200, 0.1)
    metrics.count_task("marketplace.tasks.seal_journal", True, 0.1)
    metrics.count_call("sandbox", "start", "done", 0.1)
    told = set(re.findall(r"^# TYPE (\w+) ", metrics.exposition().decode(), re.MULTILINE))
    for alert in alerts():
        for name in re.findall(r"databourse_\w+", alert["expr"]):
            assert re.sub(r"_bucket$", "", name) in told, f"{alert['alert']} asks for {name}"


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert["alert"])
def test_every_alert_says_what_to_do_and_has_its_page(alert):
    assert alert["annotations"]["summary"] and len(alert["annotations"]["action"]) > 20
    assert alert["labels"]["severity"] in ("page", "ticket") and alert["for"]
    assert f"\n## {alert['alert']}\n" in (ROOT / "docs" / "runbook.md").read_text()


def test_what_the_web_server_has_loaded_is_out_of_the_search_for_garbage():
    asked = "import gc, sys, marketplace.wsgi; print(gc.get_freeze_count(), 'settlement.trade_page' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", asked], check=True, capture_output=True, text=True).stdout.split()
    assert int(said[0]) > 100_000
    assert said[1] == "True"
