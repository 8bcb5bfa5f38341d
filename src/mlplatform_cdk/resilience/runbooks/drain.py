"""Takes a region out of service, as ``mlplatform region drain`` does: by the row that its probe reads."""

from typing import Any

from mlplatform_cdk.core import Access, allowed, encrypting, region_of
from mlplatform_cdk.resilience.automation import Automation, Parameter, ask_api, branch, run_script, wait_for
from mlplatform_cdk.resilience.automation.documents import Step
from mlplatform_cdk.resilience.runbooks.parts import REASON, SCRIPTS, WHO, Place, yes_or_no
from mlplatform_cdk.routing.health_probe import VerdictTable
from mlplatform_cdk.routing.plan import MultiRegionEndpoint
from mlplatform_cdk.runtimekit.runbook_names import Runbook

# Some rounds of the probe, and a minute in which a new one of its runs begins.
_WITHIN_S = 300
_NAME = {"#drain": "drain"}
# Scripts run outside of every network: behind private names the probe's own metric says who else serves.
_SEEING = Access(
    [allowed(["cloudwatch:GetMetricData"], "*")], patterns={"*": "CloudWatch's GetMetricData takes no resource"}
)


def drain(place: Place, *, plan: MultiRegionEndpoint, verdicts: VerdictTable, endpoint_name: str) -> Automation:
    """The runbook, of the region that it is in.

    :param plan: the regions and their names.
    :param verdicts: the rows of this region.
    :param endpoint_name: whose row.
    """
    row = {"TableName": verdicts.table_name, "Key": {"endpoint": {"S": endpoint_name}}}
    return place.define(
        Runbook.DRAIN,
        _steps(place, plan, row),
        description=(
            f"Leads callers of {plan.domain_name} away from this region, or back to it with `Way=restore`. Refuses the "
            "last region in service, unless `EvenTheLast=yes`. The region's own name still answers."
        ),
        parameters={
            "Reason": REASON,
            "Way": Parameter(description="What to do.", values=("drain", "restore"), default="drain"),
            "EvenTheLast": yes_or_no("Drain it even if no other region is known to be in service."),
        },
        access=[
            Access([allowed(["dynamodb:GetItem", "dynamodb:UpdateItem"], verdicts.table_arn)]),
            encrypting(verdicts.key),
            *([_SEEING] if plan.zone.private else []),
        ],
        outputs=["Look.Serving"],
    )


def _steps(place: Place, plan: MultiRegionEndpoint, row: dict[str, Any]) -> list[Step]:
    region = region_of(place.scope)
    given = {"Region": region, "EvenTheLast": "{{ EvenTheLast }}"}
    if plan.zone.private:
        given["Domain"] = plan.domain_name
    else:
        given["Names"] = plan.regional_name(region).replace(region, "{region}", 1)
    told = {"by": {"S": WHO}, "reason": {"S": "{{ Reason }}"}, "at": {"N": "{{ Look.At }}"}}
    return [
        branch("Choose", on="{{ Way }}", ways={"restore": "Restore"}, otherwise="Look"),
        run_script(
            "Look",
            SCRIPTS / ("inside.py" if plan.zone.private else "others.py"),
            "look",
            given,
            outputs={"Serving": ("$.Payload.Serving", "String"), "At": ("$.Payload.At", "String")},
        ),
        branch("Last", on="{{ EvenTheLast }}", ways={"yes": place.asked("Approve", "Drain")}, otherwise="Drain"),
        *place.question(
            "Approve",
            f"May {region} be drained, though it may be the last region of {plan.domain_name}? {{{{ Reason }}}}",
            then="Drain",
        ),
        ask_api(
            "Drain",
            "dynamodb",
            "UpdateItem",
            {
                **row,
                "UpdateExpression": "SET #drain = :drain",
                "ConditionExpression": "attribute_not_exists(#drain)",
                "ExpressionAttributeNames": _NAME,
                "ExpressionAttributeValues": {":drain": {"M": told}},
            },
            nextStep="Published",
        ),
        _published("Published", row, ["drained"]),
        ask_api(
            "Restore",
            "dynamodb",
            "UpdateItem",
            {
                **row,
                "UpdateExpression": "REMOVE #drain",
                "ConditionExpression": "attribute_exists(#drain)",
                "ExpressionAttributeNames": _NAME,
            },
            nextStep="Restored",
        ),
        _published("Restored", row, ["in-service", "out-of-service"]),
    ]


def _published(name: str, row: dict[str, Any], values: list[str]) -> Step:
    """The probe has said it, with its next round."""
    asked = {**row, "ConsistentRead": True}
    return wait_for(
        name, "dynamodb", "GetItem", asked, path="$.Item.status.S", values=values, within_s=_WITHIN_S, isEnd=True
    )
