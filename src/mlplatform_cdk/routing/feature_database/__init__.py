"""Features that live in SQL: one writer at home, and a reader in every region."""

from mlplatform_cdk.routing.feature_database.construct import FeatureDatabase
from mlplatform_cdk.routing.feature_database.plan import Serverless, SqlFeatures

__all__ = ["FeatureDatabase", "Serverless", "SqlFeatures"]
