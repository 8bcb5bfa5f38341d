"""Roles and policies of IAM, changed in place: a role that is made anew would lose what is attached to it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.local.adapters.cloudformation.coded import CodedKind, gone_is_fine, pairs

if TYPE_CHECKING:
    from mlplatform_cdk.local.adapters.cloudformation.resource import Resource


class RoleKind(CodedKind):
    """A role with its inline and attached policies."""

    service = "iam"
    name = "RoleName"
    fixed = frozenset({"Path"})
    changes_tags = True

    def make(self, resource: Resource) -> None:
        """Create it."""
        given = resource.properties
        tags = [{"Key": key, "Value": value} for key, value in pairs(given.get("Tags")).items()]
        optional: dict[str, Any] = {}
        if "PermissionsBoundary" in given:
            optional["PermissionsBoundary"] = given["PermissionsBoundary"]
        role = self.api(resource).create_role(
            RoleName=given["RoleName"],
            Path=given.get("Path", "/"),
            AssumeRolePolicyDocument=json.dumps(given["AssumeRolePolicyDocument"]),
            Tags=tags,
            **optional,
        )["Role"]
        resource.physical_resource_id = role["RoleName"]
        resource.attributes = {"Arn": role["Arn"], "RoleId": role["RoleId"]}

    def settle(self, resource: Resource, before: Resource | None = None) -> None:
        """Trust, session length and policies."""
        api, given, name = self.api(resource), resource.properties, resource.physical_resource_id
        if before is not None:
            api.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(given["AssumeRolePolicyDocument"]))
            self._settle_boundary(resource, before)
            tags = pairs(given.get("Tags"))
            if tags:
                api.tag_role(RoleName=name, Tags=[{"Key": key, "Value": value} for key, value in tags.items()])
        api.update_role(
            RoleName=name,
            Description=given.get("Description", ""),
            MaxSessionDuration=int(given.get("MaxSessionDuration", 3600)),
        )
        self._settle_attached(
            resource, set() if before is None else set(before.properties.get("ManagedPolicyArns", []))
        )
        self._settle_inline(resource, before)

    def unmake(self, resource: Resource) -> None:
        """Take off every policy that the template gave it, then delete it."""
        api, name = self.api(resource), resource.physical_resource_id
        for arn in resource.properties.get("ManagedPolicyArns", []):
            with gone_is_fine():
                api.detach_role_policy(RoleName=name, PolicyArn=arn)
        for policy in resource.properties.get("Policies", []):
            with gone_is_fine():
                api.delete_role_policy(RoleName=name, PolicyName=policy["PolicyName"])
        api.delete_role(RoleName=name)

    def _settle_attached(self, resource: Resource, old: set[str]) -> None:
        api, name = self.api(resource), resource.physical_resource_id
        new = set(resource.properties.get("ManagedPolicyArns", []))
        for arn in sorted(new - old):
            api.attach_role_policy(RoleName=name, PolicyArn=arn)
        for arn in sorted(old - new):
            with gone_is_fine():
                api.detach_role_policy(RoleName=name, PolicyArn=arn)

    def _settle_inline(self, resource: Resource, before: Resource | None) -> None:
        api, name = self.api(resource), resource.physical_resource_id
        new = {policy["PolicyName"]: policy for policy in resource.properties.get("Policies", [])}
        for policy_name, policy in new.items():
            api.put_role_policy(
                RoleName=name, PolicyName=policy_name, PolicyDocument=json.dumps(policy["PolicyDocument"])
            )
        for policy in before.properties.get("Policies", []) if before is not None else []:
            if policy["PolicyName"] not in new:
                api.delete_role_policy(RoleName=name, PolicyName=policy["PolicyName"])

    def _settle_boundary(self, resource: Resource, before: Resource) -> None:
        boundary = resource.properties.get("PermissionsBoundary")
        if boundary == before.properties.get("PermissionsBoundary"):
            return
        api, name = self.api(resource), resource.physical_resource_id
        if boundary:
            api.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=boundary)
        else:
            api.delete_role_permissions_boundary(RoleName=name)


class ManagedPolicyKind(CodedKind):
    """A policy of its own, attached to roles, users and groups."""

    service = "iam"
    name = "ManagedPolicyName"
    name_limit = 128
    fixed = frozenset({"Path", "Description"})

    def make(self, resource: Resource) -> None:
        """Create it."""
        given = resource.properties
        policy = self.api(resource).create_policy(
            PolicyName=given["ManagedPolicyName"],
            Path=given.get("Path", "/"),
            Description=given.get("Description", ""),
            PolicyDocument=json.dumps(given["PolicyDocument"]),
        )["Policy"]
        resource.physical_resource_id = policy["Arn"]
        resource.attributes = {"PolicyArn": policy["Arn"], "PolicyId": policy["PolicyId"]}

    def settle(self, resource: Resource, before: Resource | None = None) -> None:
        """Give it a new version when the document changed; attach and detach."""
        api, arn = self.api(resource), resource.physical_resource_id
        document = resource.properties["PolicyDocument"]
        if before is not None and document != before.properties["PolicyDocument"]:
            for version in api.list_policy_versions(PolicyArn=arn)["Versions"]:
                if not version["IsDefaultVersion"]:
                    api.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
            api.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(document), SetAsDefault=True)
        for kind in ("Role", "User", "Group"):
            old = set() if before is None else set(before.properties.get(f"{kind}s", []))
            new = set(resource.properties.get(f"{kind}s", []))
            for name in sorted(new - old):
                getattr(api, f"attach_{kind.lower()}_policy")(**{f"{kind}Name": name, "PolicyArn": arn})
            for name in sorted(old - new):
                with gone_is_fine():
                    getattr(api, f"detach_{kind.lower()}_policy")(**{f"{kind}Name": name, "PolicyArn": arn})

    def unmake(self, resource: Resource) -> None:
        """Detach it everywhere, then delete it and its versions."""
        api, arn = self.api(resource), resource.physical_resource_id
        attached = api.list_entities_for_policy(PolicyArn=arn)
        for kind in ("Role", "User", "Group"):
            for entity in attached.get(f"Policy{kind}s", []):
                getattr(api, f"detach_{kind.lower()}_policy")(
                    **{f"{kind}Name": entity[f"{kind}Name"], "PolicyArn": arn}
                )
        for version in api.list_policy_versions(PolicyArn=arn)["Versions"]:
            if not version["IsDefaultVersion"]:
                api.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
        api.delete_policy(PolicyArn=arn)


class InlinePolicyKind(CodedKind):
    """A policy inside roles, users and groups."""

    service = "iam"
    name = "PolicyName"
    name_limit = 128

    def make(self, resource: Resource) -> None:
        """Nothing but its name: it lives in those that have it."""
        resource.physical_resource_id = resource.properties["PolicyName"]
        resource.attributes = {"Id": resource.physical_resource_id}

    def settle(self, resource: Resource, before: Resource | None = None) -> None:
        """Put it into all of them, and take it out of those that no longer have it."""
        for kind, name in self._holders(resource):
            getattr(self.api(resource), f"put_{kind.lower()}_policy")(
                **{f"{kind}Name": name, "PolicyName": resource.properties["PolicyName"]},
                PolicyDocument=json.dumps(resource.properties["PolicyDocument"]),
            )
        if before is not None:
            self._take_out(before, self._holders(before) - self._holders(resource))

    def unmake(self, resource: Resource) -> None:
        """Take it out of all of them."""
        self._take_out(resource, self._holders(resource))

    def _holders(self, resource: Resource) -> set[tuple[str, str]]:
        return {(kind, name) for kind in ("Role", "User", "Group") for name in resource.properties.get(f"{kind}s", [])}

    def _take_out(self, resource: Resource, holders: set[tuple[str, str]]) -> None:
        for kind, name in sorted(holders):
            with gone_is_fine():
                getattr(self.api(resource), f"delete_{kind.lower()}_policy")(
                    **{f"{kind}Name": name, "PolicyName": resource.properties["PolicyName"]}
                )
