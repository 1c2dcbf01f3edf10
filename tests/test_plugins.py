from __future__ import annotations

import pytest

from pinky_core import PluginError, Resource, Section, hookimpl, hookspec, load_plugins, make_registry, resource
from tests.kinds import REGISTRY, Box, Plugin


class Another:
    @hookimpl
    def pinky_resource_types(self):  # type: ignore[no-untyped-def]  # a plugin in a test
        return [Box]


def test_hook_resource_types_brings_kinds_with_the_plugin_they_came_from():
    assert set(REGISTRY.kinds) == {"box", "database", "schema", "item"}
    assert REGISTRY.kind_plugins["box"] == "kinds"
    assert REGISTRY.plugins[0].hooks == ("pinky_resource_types",)


def test_two_plugins_claiming_one_kind_are_both_named():
    with pytest.raises(PluginError, match="kinds and acme both define the kind 'box'"):
        make_registry({"kinds": Plugin(), "acme": Another()})


def test_hook_manifest_sections_and_a_claimed_section():
    class Sections:
        @hookimpl
        def pinky_manifest_sections(self):  # type: ignore[no-untyped-def]  # a plugin in a test
            return [Section("stages", {"type": "array"}, lambda value, context: ())]

    assert "stages" in make_registry({"one": Sections()}).sections
    with pytest.raises(PluginError, match="one and two both define the manifest section 'stages'"):
        make_registry({"one": Sections(), "two": Sections()})


def test_hook_secret_resolvers_adds_schemes_and_cannot_take_a_built_in():
    class Vault:
        scheme = "vault"

        @hookimpl
        def pinky_secret_resolvers(self):  # type: ignore[no-untyped-def]  # a plugin in a test
            return {self.scheme: lambda locator: f"value at {locator}"}

    assert make_registry({"v": Vault()}).resolvers["vault"]("x") == "value at x"
    Vault.scheme = "env"
    with pytest.raises(PluginError, match="pinky_core and v both define the secret scheme 'env'"):
        make_registry({"v": Vault()})


def test_hook_add_hooks_lets_a_plugin_extend_the_surface():
    class Specs:
        @hookspec
        def pinky_stage_slots(self):  # type: ignore[no-untyped-def]  # a specification in a test
            """Slots."""

    class Owner:
        @hookimpl
        def pinky_add_hooks(self, manager):  # type: ignore[no-untyped-def]  # a plugin in a test
            manager.add_hookspecs(Specs)

    class User:
        @hookimpl
        def pinky_stage_slots(self):  # type: ignore[no-untyped-def]  # a plugin in a test
            return ["slot"]

    manager = make_registry({"a": Owner(), "b": User()}).manager
    assert manager.hook.pinky_stage_slots() == [["slot"]]
    with pytest.raises(PluginError, match="nobody specified"):
        make_registry({"b": User()})


def test_a_hook_with_a_wrong_argument_names_the_plugin():
    class Wrong:
        @hookimpl
        def pinky_check_plan(self, plane):  # type: ignore[no-untyped-def]  # a plugin in a test
            return []

    with pytest.raises(PluginError, match="'wrong' is not usable"):
        make_registry({"wrong": Wrong()})


def test_a_hook_that_fails_at_start_names_the_plugin():
    class Broken:
        @hookimpl
        def pinky_resource_types(self):  # type: ignore[no-untyped-def]  # a plugin in a test
            raise RuntimeError("no licence")

    with pytest.raises(PluginError, match="'broken' failed in pinky_resource_types: RuntimeError: no licence"):
        make_registry({"broken": Broken()})


def test_something_that_is_no_kind_is_refused():
    class Odd:
        @hookimpl
        def pinky_resource_types(self):  # type: ignore[no-untyped-def]  # a plugin in a test
            return [Resource]

    with pytest.raises(PluginError, match="not a class declared with @resource"):
        make_registry({"odd": Odd()})


def test_a_plugin_that_does_not_import_stops_the_run_and_is_named(tmp_path, monkeypatch):
    package = tmp_path / "acme_pinky-1.2.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-pinky\nVersion: 1.2\n", encoding="utf-8")
    (package / "entry_points.txt").write_text("[pinky_test_group]\nacme = acme_pinky_missing\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(PluginError, match=r"the plugin 'acme' of acme-pinky 1\.2 does not load: ModuleNotFoundError"):
        load_plugins("pinky_test_group")


def test_a_kind_of_a_third_party_is_one_class():
    @resource("thing", scope="schema")
    class Thing(Resource):
        """A thing."""

    assert (Thing.spec.sql, Thing.spec.plural, Thing.spec.depth) == ("THING", "THINGS", 3)
