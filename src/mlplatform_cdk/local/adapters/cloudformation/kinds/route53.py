"""Records and health checks. Several records may have one name; each goes alone, which moto's own kind does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.route53.models import DelegationSet, FakeZone, route53_backends
from moto.utilities.utils import get_partition

from mlplatform_cdk.local.adapters.cloudformation.coded import CodedKind, parameters
from mlplatform_cdk.local.adapters.cloudformation.resource import CannotProvision
from mlplatform_cdk.local.adapters.health_checks import keep

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moto.route53.models import Route53Backend

    from mlplatform_cdk.local.adapters.cloudformation.resource import Kind, Resource

_IDENTITY = ("Name", "Type", "SetIdentifier")


class RecordSetKind(CodedKind):
    """A record, known by its name, its type and its set identifier."""

    service = "route53"
    fixed = frozenset({"HostedZoneId", "HostedZoneName", *_IDENTITY})

    def make(self, resource: Resource) -> None:
        """Create it; one that stands already is an error, as in Route 53."""
        given = resource.properties
        if any(self._is(resource, one) for one in self._zone(resource).rrsets):
            identity = ", ".join(str(given[name]) for name in _IDENTITY if name in given)
            raise CannotProvision(f"the record {identity} exists already")
        resource.physical_resource_id = given["Name"]
        self._put(resource)

    def settle(self, resource: Resource, before: Resource | None = None) -> None:
        """Put a changed one over itself."""
        if before is not None:
            self._put(resource)

    def unmake(self, resource: Resource) -> None:
        """Delete it, and no other of its name."""
        zone = self._zone(resource)
        zone.rrsets = [one for one in zone.rrsets if not self._is(resource, one)]

    def _put(self, resource: Resource) -> None:
        given = {key: value for key, value in resource.properties.items() if not key.startswith("HostedZone")}
        given.pop("Comment", None)
        if "ResourceRecords" in given:
            given["ResourceRecords"] = [{"Value": value} for value in given["ResourceRecords"]]
        batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": given}]}
        values = {"HostedZoneId": self._zone(resource).resource_id, "ChangeBatch": batch}
        api = self.api(resource)
        api.change_resource_record_sets(**parameters(api, "change_resource_record_sets", values, resource.lost))

    def _zone(self, resource: Resource) -> Any:
        backend, given = _backend(resource), resource.properties
        if "HostedZoneId" in given:
            return backend.zones.get(given["HostedZoneId"]) or _assumed(backend, given)
        zone = backend.get_hosted_zone_by_name(given["HostedZoneName"])
        if zone is None:
            raise CannotProvision(f"there is no zone {given['HostedZoneName']}")
        return zone

    @staticmethod
    def _is(resource: Resource, record: Any) -> bool:
        given = resource.properties
        ours = (str(given["Name"]).rstrip("."), given["Type"], given.get("SetIdentifier"))
        return ours == (record.name.rstrip("."), record.type, record.set_identifier)


class HealthCheckKind(CodedKind):
    """A health check; nothing asks by it but whoever plays the resolver."""

    service = "route53"

    def make(self, resource: Resource) -> None:
        """Create it."""
        api, config = self.api(resource), resource.properties["HealthCheckConfig"]
        values = {"CallerReference": resource.generated_name(64), "HealthCheckConfig": config}
        made = api.create_health_check(**parameters(api, "create_health_check", values, resource.lost))
        resource.physical_resource_id = made["HealthCheck"]["Id"]
        resource.attributes = {"HealthCheckId": resource.physical_resource_id}

    def settle(self, resource: Resource, before: Resource | None = None) -> None:
        """Its tags, and a changed configuration, whole."""
        api, config = self.api(resource), resource.properties["HealthCheckConfig"]
        tags = resource.properties.get("HealthCheckTags", [])
        if tags:
            api.change_tags_for_resource(
                ResourceType="healthcheck", ResourceId=resource.physical_resource_id, AddTags=tags
            )
        if before is None:
            return
        values = {"CallerReference": "kept", "HealthCheckConfig": config}
        fit = parameters(api, "create_health_check", values, resource.lost)
        keep(_backend(resource).health_checks[resource.physical_resource_id], fit["HealthCheckConfig"])

    def unmake(self, resource: Resource) -> None:
        """Delete it."""
        self.api(resource).delete_health_check(HealthCheckId=resource.physical_resource_id)


def _assumed(backend: Route53Backend, given: Mapping[str, Any]) -> FakeZone:
    """The zone of an id that nobody made here: such as the bootstrap of an account, it stands before a deployment.

    Its name is known to Route 53 alone; here it is what the names in it have in common at least.
    """
    zone_id, name = given["HostedZoneId"], ".".join(given["Name"].rstrip(".").split(".")[-2:])
    zone = FakeZone(name, zone_id, False, caller_reference=zone_id, delegation_set=DelegationSet(zone_id, [], None))
    backend.zones[zone_id] = zone
    return zone


def _backend(resource: Resource) -> Route53Backend:
    return route53_backends[resource.account][get_partition(resource.region)]


KINDS: dict[str, Kind] = {
    "AWS::Route53::RecordSet": RecordSetKind(),
    "AWS::Route53::HealthCheck": HealthCheckKind(),
}
