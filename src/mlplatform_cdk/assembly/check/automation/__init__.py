"""Automation documents of Systems Manager, against the services that their steps call."""

from mlplatform_cdk.assembly.check.automation.alarms import alarms
from mlplatform_cdk.assembly.check.automation.check import automations, documents, needs_of_document

__all__ = ["alarms", "automations", "documents", "needs_of_document"]
