"""Variables of schedulers inside an allocation of several tasks."""

#: What a scheduler's variables say inside an allocation that training has not asked for.
ALLOCATIONS = {
    "slurm": {
        "SLURM_NTASKS": "4",
        "SLURM_JOB_ID": "1",
        "SLURM_JOB_NAME": "ondemand",
        "SLURM_PROCID": "0",
        "SLURM_LOCALID": "0",
        "SLURM_NODEID": "0",
        "SLURM_NNODES": "1",
        "SLURM_JOB_NODELIST": "node01",
    },
    "lsf": {
        "LSB_JOBID": "1",
        "LSB_DJOB_RANKFILE": "/nowhere",
        "JSM_NAMESPACE_LOCAL_RANK": "0",
        "JSM_NAMESPACE_SIZE": "4",
        "JSM_NAMESPACE_RANK": "0",
    },
}
