"""A public page on which whoever holds a signed link answers for a release."""

from aws_cdk import CfnOutput, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from mlplatform_cdk.core import PlatformFunction, accept_checkov, acknowledge_controls, permission
from mlplatform_cdk.release.records import ReleaseRecords

RUNTIME = "mlplatform_cdk.release.gates.door.runtime"
_AT_ONCE = 5  # a public page must not use up the account's functions


class SignedLinks(Construct):
    """Links by which people answer for a release from their mail, without an account of AWS.

    The page is public: its only guard is the link's code, an HMAC by a key that never leaves KMS, over the endpoint,
    the gate and the time at which the gate closes. Opening a link shows what is known and two buttons, and only a
    button acts, so that scanners and previews approve nothing. Whoever is given a link can answer with it.

    :param endpoint_name: whose releases wait.
    :param records: where the gates are kept.
    :param key: encrypts the settings and the logs; the codes are made by another key, which is made here.
    """

    url: str

    def __init__(
        self, scope: Construct, id: str, *, endpoint_name: str, records: ReleaseRecords, key: kms.IKey
    ) -> None:
        super().__init__(scope, id)
        self.key = kms.Key(
            self,
            "Key",
            description=f"Signs the links by which people answer for releases to {endpoint_name}",
            key_spec=kms.KeySpec.HMAC_256,
            key_usage=kms.KeyUsage.GENERATE_VERIFY_MAC,
            removal_policy=RemovalPolicy.DESTROY,  # with it, the links that are out end to count
        )
        self.function = PlatformFunction(
            self,
            "Page",
            package=RUNTIME,
            description=f"The page on which people answer for releases to {endpoint_name}",
            most_at_once=_AT_ONCE,
            environment={**records.environment, "LINK_KEY_ID": self.key.key_id},
            key=key,
        )
        records.grant_decide(self.function, endpoint_name)
        self.function.platform_role.allow(permission(["kms:VerifyMac"], self.key.key_arn))
        address = self.function.add_function_url(auth_type=lambda_.FunctionUrlAuthType.NONE)
        self.url = address.url
        CfnOutput(self, "Url", value=self.url, description="Where the links of release gates lead")
        self._accept_findings(address)

    def _accept_findings(self, address: lambda_.FunctionUrl) -> None:
        reason = "people answer from their mail without an account; each request must carry a code made by KMS"
        accept_checkov(address, {"CKV_AWS_258": reason}, is_new=True)
        acknowledge_controls(self.function, {"LambdaFunctionPublicAccessProhibited": reason})
        acknowledge_controls(
            self.key, {"KMSBackingKeyRotationEnabled": "KMS does not rotate HMAC keys; a link counts for hours"}
        )
        accept_checkov(self.key, {"CKV_AWS_7": "KMS does not rotate HMAC keys; a link counts for hours"}, is_new=True)
