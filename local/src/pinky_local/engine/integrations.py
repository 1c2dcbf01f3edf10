"""Storage integrations: their rules, and which stages may use one.

https://docs.snowflake.com/en/sql-reference/sql/create-storage-integration and alter-storage-integration; DESCRIBE's
rows follow desc-integration and the properties that Snowflake's Terraform provider reads.
"""

from __future__ import annotations

from typing import Any

from pinky_local.engine import errors, families, identifiers
from pinky_local.engine.catalog import CatalogObject
from pinky_local.engine.property_rows import properties_table
from pinky_local.engine.statement import Statement
from pinky_local.types import Result, SqlError

_OF_PROVIDER = {
    "S3": ("STORAGE_AWS_ROLE_ARN", "STORAGE_AWS_EXTERNAL_ID", "STORAGE_AWS_OBJECT_ACL", "USE_PRIVATELINK_ENDPOINT"),
    "GCS": (),
    "AZURE": ("AZURE_TENANT_ID", "USE_PRIVATELINK_ENDPOINT"),
}
_REQUIRED = {"S3": "STORAGE_AWS_ROLE_ARN", "AZURE": "AZURE_TENANT_ID"}
_SCHEMES = {"S3": "s3", "S3CHINA": "s3china", "S3GOV": "s3gov", "GCS": "gcs", "AZURE": "azure"}
_ALL = "*"


def _family(item: CatalogObject) -> str:
    provider = str(item.properties["STORAGE_PROVIDER"])
    return "S3" if provider.startswith("S3") else provider


def check(_: Statement, item: CatalogObject, given: frozenset[str]) -> None:
    """Raise where properties of one cloud stand on another, one is missing, or a location is of another cloud."""
    family = _family(item)
    for names in _OF_PROVIDER.values():
        for name in names:
            if item.properties.get(name) is not None and name not in _OF_PROVIDER[family]:
                raise errors.invalid_property(name, f"{family} STORAGE INTEGRATION")
    needed = _REQUIRED.get(family)
    if needed and not item.properties.get(needed):
        raise errors.missing_option(needed)
    scheme = _SCHEMES[str(item.properties["STORAGE_PROVIDER"])] + "://"
    for name in ("STORAGE_ALLOWED_LOCATIONS", "STORAGE_BLOCKED_LOCATIONS"):
        for location in item.properties.get(name) or []:
            if not location.startswith(scheme) and (location != _ALL or name == "STORAGE_BLOCKED_LOCATIONS"):
                raise errors.invalid_value(location, name)
    if not item.properties.get("STORAGE_ALLOWED_LOCATIONS"):
        raise errors.missing_option("STORAGE_ALLOWED_LOCATIONS")


def check_use(statement: Statement, stage: CatalogObject) -> None:
    """Raise unless the session may use the integration that a stage names, and it allows the stage's URL."""
    found = integration_of(statement, stage)
    if found is None:
        return
    statement.require(found, "USAGE")
    if not found.properties.get("ENABLED", True):
        raise errors.compilation(2091, "22023", f"Integration '{found.name}' is not enabled.")
    url = str(stage.properties["URL"])
    if not allows(found, url):
        text = f"Location '{url}' is not allowed by integration '{found.name}'. "
        text += "Please use DESC INTEGRATION to check out allowed and blocked locations."
        raise SqlError(3167, "42601", f"SQL compilation error:\n{text}")


def require_usage(statement: Statement, stage: CatalogObject) -> None:
    """LIST and REMOVE of a stage with an integration need USAGE on the integration too."""
    with statement.account.lock:
        found = integration_of(statement, stage)
        if found is not None:
            statement.require(found, "USAGE")


def integration_of(statement: Statement, stage: CatalogObject) -> CatalogObject | None:
    """The integration a stage names; None where it names none, or one that was dropped."""
    name = stage.properties.get("STORAGE_INTEGRATION")
    return statement.lookup("storage_integration", identifiers.parse_dotted(str(name))) if name else None


def allows(integration: CatalogObject, url: str) -> bool:
    """Whether a URL lies in an allowed location and in no blocked one."""
    wanted = url.rstrip("/") + "/"

    def within(locations: list[str]) -> bool:
        return any(one == _ALL or wanted.startswith(one.rstrip("/") + "/") for one in locations)

    given = integration.properties
    return within(given["STORAGE_ALLOWED_LOCATIONS"]) and not within(given.get("STORAGE_BLOCKED_LOCATIONS") or [])


def describe(statement: Statement, item: CatalogObject) -> Result:
    """Answer DESCRIBE INTEGRATION: one row for each property, with what the cloud's side needs to know made up."""
    statement.require(item, "USAGE")
    given = item.properties
    values: list[list[Any]] = [
        ["ENABLED", "Boolean", _word(given.get("ENABLED", True)), "false"],
        ["STORAGE_PROVIDER", "String", given["STORAGE_PROVIDER"], ""],
        ["STORAGE_ALLOWED_LOCATIONS", "List", ",".join(given["STORAGE_ALLOWED_LOCATIONS"]), "[]"],
        ["STORAGE_BLOCKED_LOCATIONS", "List", ",".join(given.get("STORAGE_BLOCKED_LOCATIONS") or []), "[]"],
        *_of_cloud(statement, item),
        ["COMMENT", "String", given.get("COMMENT") or "", ""],
    ]
    return properties_table(values, parent=False)


def _of_cloud(statement: Statement, item: CatalogObject) -> list[list[Any]]:
    given, family = item.properties, _family(item)
    private = ["USE_PRIVATELINK_ENDPOINT", "Boolean", _word(given.get("USE_PRIVATELINK_ENDPOINT", False)), "false"]
    if family == "GCS":
        account = f"pinky-{item.number}@pinky-local.iam.gserviceaccount.com"
        return [["STORAGE_GCP_SERVICE_ACCOUNT", "String", account, ""]]
    if family == "AZURE":
        consent = f"https://login.microsoftonline.com/{given['AZURE_TENANT_ID']}/oauth2/authorize?client_id=pinky-local"
        return [
            ["AZURE_TENANT_ID", "String", given["AZURE_TENANT_ID"], ""],
            ["AZURE_CONSENT_URL", "String", consent, ""],
            ["AZURE_MULTI_TENANT_APP_NAME", "String", f"pinky-local-{item.number}", ""],
            private,
        ]
    external = given.get("STORAGE_AWS_EXTERNAL_ID") or f"{statement.account.name}_SFCRole={item.number}"
    found = [
        ["STORAGE_AWS_IAM_USER_ARN", "String", "arn:aws:iam::000000000000:user/pinky-local", ""],
        ["STORAGE_AWS_ROLE_ARN", "String", given["STORAGE_AWS_ROLE_ARN"], ""],
        ["STORAGE_AWS_EXTERNAL_ID", "String", external, ""],
        private,
    ]
    if given.get("STORAGE_AWS_OBJECT_ACL"):
        found.insert(3, ["STORAGE_AWS_OBJECT_ACL", "String", given["STORAGE_AWS_OBJECT_ACL"], ""])
    return found


def _word(value: object) -> str:
    return "true" if value else "false"


families.VALUE_CHECK["storage_integration"] = check
families.DESCRIBE["storage_integration"] = describe
