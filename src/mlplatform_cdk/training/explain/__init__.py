"""Why a run failed, in one sentence."""
