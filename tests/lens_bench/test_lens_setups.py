"""Lenses with their banks, made once and opened again, and the command that scores them."""

import json

import pytest
from typer.testing import CliRunner

import explore
from explore import cli
from explore.bench.lens_setups import EVERY_LENS, made_lenses, texts_for
from explore.errors import ParameterError
from explore.lens.corpora import PhraseCorpus, default_corpus
from explore.lens.table import METHODS
from tests.tiny import tiny_runner

TEXTS = ["a red dog on the left", "a green house", "what colour is the cat?", "two small trees below a big house"] * 3


def test_lenses_have_what_they_need_and_banks_of_two_seeds(tmp_path):
    lenses, again = made_lenses(tiny_runner(), ["logit", "latent", "latent:centred=true,k=3"], tmp_path, TEXTS)
    assert list(lenses) == ["logit", "latent", "latent:centred=true,k=3"]
    assert list(again) == ["latent", "latent:centred=true,k=3"]
    assert (lenses["latent:centred=true,k=3"].centred, lenses["latent:centred=true,k=3"].k) == (True, 3)
    seeds = [each["latent"].bank.manifest["selection"]["seed"] for each in (lenses, again)]
    assert seeds == [0, 1]
    assert lenses["latent"].bank is lenses["latent:centred=true,k=3"].bank
    written = (tmp_path / "bank-0" / "manifest.json").stat().st_mtime_ns
    made_lenses(tiny_runner(), ["latent"], tmp_path, TEXTS)
    assert (tmp_path / "bank-0" / "manifest.json").stat().st_mtime_ns == written


def test_layers_of_the_bank_may_be_named(tmp_path):
    lenses, _ = made_lenses(tiny_runner(), ["latent"], tmp_path, TEXTS, bank_layers=[0, 2])
    assert lenses["latent"].bank.layers == (0, 2)


def test_a_bank_is_built_only_where_a_lens_needs_it(tmp_path):
    made_lenses(tiny_runner(), ["logit", "embedding"], tmp_path, TEXTS)
    assert not list(tmp_path.iterdir())


def test_every_lens_of_the_default_is_in_the_table():
    assert {each.partition(":")[0] for each in EVERY_LENS} <= set(METHODS)


def test_plain_english_for_any_model_but_those_that_ship():
    assert isinstance(texts_for(tiny_runner()), PhraseCorpus)
    assert texts_for(tiny_runner()).fingerprint == default_corpus().fingerprint


def test_the_command_scores_and_prints_tables(monkeypatch, tmp_path):
    monkeypatch.setattr(explore, "load", lambda *given, **named: tiny_runner())
    arguments = ["lens-scores", "--scenes", "3", "--lens", "logit", "--folder", str(tmp_path)]
    done = CliRunner().invoke(cli.app, arguments)
    assert done.exit_code == 0, done.output
    assert "| thing named, % | layer 0 | layer 1 | layer 2 |" in done.stdout
    assert "| logit, other pictures |" in done.stdout
    again = CliRunner().invoke(cli.app, [*arguments, "--json"])
    assert json.loads(again.stdout)["scores"][0]["lens"] == "logit"


@pytest.mark.parametrize("wrong", [["--bank-layers", "1,x"], ["--part", "3/2"], ["--lens", "lgit"]])
def test_the_command_refuses_what_it_cannot_read(monkeypatch, tmp_path, wrong):
    monkeypatch.setattr(explore, "load", lambda *given, **named: tiny_runner())
    lens = [] if wrong[0] == "--lens" else ["--lens", "logit"]
    done = CliRunner().invoke(cli.app, ["lens-scores", "--scenes", "2", *lens, "--folder", str(tmp_path), *wrong])
    assert isinstance(done.exception, ParameterError)
