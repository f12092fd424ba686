"""Each process sees the variables it is meant to see, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration.errors import ConfigurationError, PrecedeError
from orchestration.settings import Settings
from orchestration.work.environment import LOCATIONS, location_environment, prepare_home

EVERYTHING = {
    "PATH": "/usr/bin",
    "HOME": "/home/someone",
    "AWS_SECRET_ACCESS_KEY": "s",
    "PRECEDE_STORE_URL": "sqlite:////tmp/store.db",
    "CRM_URL": "postgresql://reader:secret@db/crm",
    "ERP_WRITE_URL": "postgresql://writer:secret@db/erp",
    "MODEL_KEY": "the agent's own",
    "PRECEDE_BUSINESS_DATE": "2026-11-02",
    "PRECEDE_SENSOR_SECONDS": "1",
    "PRECEDE_ACCEPT_MISSING": "erp",
    "PRECEDE_REBUILD_SCHEDULE": "0 2 * * 6",
    "PRECEDE_KEEP_GRAPHS": "3",
    "PRECEDE_KEEP_HOURS": "2",
}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in ("PRECEDE_EXCHANGE", "DAGSTER_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PRECEDE_STORE_URL", EVERYTHING["PRECEDE_STORE_URL"])
    sources, agents, tools = tmp_path / "sources", tmp_path / "agents", tmp_path / "servers.yml"
    (sources / "crm").mkdir(parents=True)
    (sources / "crm" / "source.yml").write_text("system: crm\nurl: {env: CRM_URL, default: 'sqlite:///x'}\n")
    (agents / "finance").mkdir(parents=True)
    card = "name: finance\ncredentials: {env: [MODEL_KEY, ERP_WRITE_URL, CRM_URL, PRECEDE_STORE_URL]}\n"
    (agents / "finance" / "agent.yml").write_text(card)
    tools.write_text("servers:\n  erp: {command: [erp-server], env: [ERP_WRITE_URL]}\n")
    return Settings(home=tmp_path / "home", sources=sources, agents=agents, tools=tools)


def test_insight_sees_the_addresses_of_its_sources_and_no_write_credential(settings: Settings) -> None:
    seen = location_environment("insight", settings, EVERYTHING)
    assert seen["CRM_URL"] == EVERYTHING["CRM_URL"]
    assert not seen.keys() & {"ERP_WRITE_URL", "MODEL_KEY", "AWS_SECRET_ACCESS_KEY", "HOME", "PRECEDE_TOOLS"}


def test_insight_alone_is_told_which_systems_may_be_missing(settings: Settings) -> None:
    told = [one for one in LOCATIONS if "PRECEDE_ACCEPT_MISSING" in location_environment(one, settings, EVERYTHING)]
    assert told == ["insight"]


@pytest.mark.parametrize("name", ["PRECEDE_REBUILD_SCHEDULE", "PRECEDE_KEEP_GRAPHS", "PRECEDE_KEEP_HOURS"])
def test_insight_alone_is_told_when_to_begin_anew_and_what_to_keep(name: str, settings: Settings) -> None:
    told = {one: location_environment(one, settings, EVERYTHING).get(name) for one in LOCATIONS}
    assert told == dict.fromkeys(LOCATIONS) | {"insight": EVERYTHING[name]}


def test_insight_and_the_coordinator_have_the_same_day(settings: Settings) -> None:
    told = {one: location_environment(one, settings, EVERYTHING).get("PRECEDE_BUSINESS_DATE") for one in LOCATIONS}
    assert told == {"insight": "2026-11-02", "action": None, "orchestration": "2026-11-02"}


def test_the_agents_see_their_own_variables_and_nothing_of_the_store_the_graph_or_the_systems(
    settings: Settings,
) -> None:
    seen = location_environment("action", settings, EVERYTHING)
    assert seen == {
        "PATH": "/usr/bin",
        "MODEL_KEY": "the agent's own",
        "PRECEDE_SENSOR_SECONDS": "1",
        "PRECEDE_HOME": str(settings.home / "exchange"),
        "DAGSTER_HOME": str(settings.home / "dagster"),
        "PRECEDE_AGENTS": str(settings.agents),
        "PRECEDE_EXCHANGE": str(settings.home / "exchange"),
    }


def test_a_card_cannot_ask_for_the_variables_of_a_source_a_tool_or_precede(settings: Settings) -> None:
    seen = location_environment("action", settings, EVERYTHING)
    assert not seen.keys() & {"CRM_URL", "ERP_WRITE_URL", "PRECEDE_STORE_URL"}


def test_the_coordinator_sees_what_the_tool_servers_need_and_no_source(settings: Settings) -> None:
    seen = location_environment("orchestration", settings, EVERYTHING)
    assert seen["ERP_WRITE_URL"] == EVERYTHING["ERP_WRITE_URL"]
    assert seen["PRECEDE_BUSINESS_DATE"] == "2026-11-02"
    assert not seen.keys() & {"CRM_URL", "MODEL_KEY", "PRECEDE_SOURCES"}


@pytest.mark.parametrize("name", ["PRECEDE_TOKEN", "PRECEDE_TOKEN_FILE"])
@pytest.mark.parametrize("location", LOCATIONS)
def test_who_runs_a_command_is_told_to_no_process_whatever_file_names_it(
    settings: Settings, location: str, name: str
) -> None:
    (settings.sources / "crm" / "source.yml").write_text(f"system: crm\nurl: {{env: {name}}}\n")
    (settings.agents / "finance" / "agent.yml").write_text(f"name: finance\ncredentials: {{env: [{name}]}}\n")
    settings.tools.write_text(f"servers:\n  erp: {{command: [erp-server], env: [{name}]}}\n")
    assert name not in location_environment(location, settings, {**EVERYTHING, name: "precede_hunter2"})


def test_an_unreadable_declaration_is_one_sentence(settings: Settings) -> None:
    (settings.sources / "crm" / "source.yml").write_text("url: {env: [")
    with pytest.raises(ConfigurationError, match=r"source\.yml: found .* needed a readable YAML file\."):
        location_environment("insight", settings, EVERYTHING)


def test_the_home_gets_dagsters_configuration_once(settings: Settings) -> None:
    prepare_home(settings)
    configuration = settings.dagster_home / "dagster.yaml"
    assert "telemetry: {enabled: false}" in configuration.read_text()
    configuration.write_text("the user's own")
    prepare_home(settings)
    assert configuration.read_text() == "the user's own"


def test_a_home_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PrecedeError, match=r"cannot be made \(.+\); needed a folder .+; point PRECEDE_HOME at one\."):
        prepare_home(Settings(home=tmp_path / "file" / "home"))
