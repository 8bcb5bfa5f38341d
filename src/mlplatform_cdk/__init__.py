"""Production machine learning on AWS as CDK constructs, which a laptop can rehearse.

Import a room (``from mlplatform_cdk.foundation import Network``); this module itself starts no jsii kernel.
"""
