import json

import pytest
from click.testing import CliRunner

from specrec.cells.ceiling import COLUMNS
from specrec.cells.columns import columns_of
from specrec.cli.metrics import command
from specrec.registry import registry
from specrec.robustness.conditions import STANDARD


def test_the_table_has_a_line_for_every_metric_and_for_every_column_of_the_ceiling_and_of_the_conditions():
    result = CliRunner().invoke(command, [])
    assert result.exit_code == 0
    head, *lines = result.stdout.splitlines()
    assert head.split() == ["id", "unit", "scale", "direction", "distribution", "definition"]
    assert [line.split()[0] for line in lines] == [*registry().metrics, *COLUMNS, *columns_of(STANDARD)]
    (gfc,) = (line for line in lines if line.startswith("gfc "))
    assert "higher is better" in gfc
    assert "specrec" in gfc
    assert registry().metric("gfc").definition in gfc


def test_json_holds_every_field():
    rows = json.loads(CliRunner().invoke(command, ["--format", "json"]).stdout)
    row = {row["id"]: row for row in rows}["rmse@arad2016"]
    metric = registry().metric("rmse@arad2016")
    assert (row["unit"], row["scale"], row["definition"]) == (metric.unit, metric.scale, metric.definition)
    assert row["direction"] == "lower is better"
    assert row["reference"] == metric.reference
    assert row["distribution"].startswith("specrec ")


def test_json_says_what_is_best_also_where_that_is_infinite():
    text = CliRunner().invoke(command, ["--format", "json"]).stdout
    rows = {row["id"]: row for row in json.loads(text, parse_constant=pytest.fail)}
    assert [rows[name]["best"] for name in ("rmse", "gfc", "psnr")] == [0.0, 1.0, "inf"]
    assert [rows[name]["symmetric"] for name in ("rmse", "rrmse")] == [True, False]


def test_an_unknown_format_is_a_usage_error():
    assert CliRunner().invoke(command, ["--format", "xml"]).exit_code == 2
