"""Which device each of the cells that compute at a time has."""

from specrec.errors import UsageError
from specrec.threads import available_cores


def slots(device: str, jobs: int | None, threads: int) -> list[str]:
    """Choose one device for each cell that computes at a time; without `jobs`, as many as there are cores or GPUs."""
    if jobs is not None and jobs < 0:
        raise UsageError(f"--jobs must be at least 0, not {jobs}")
    if device == "cpu":
        there = ["cpu"]
    else:
        from specrec.training.session import choose_device, cuda_devices

        chosen = choose_device(device)
        there = cuda_devices() if chosen.startswith("cuda") and device in ("auto", "cuda") else [chosen]
    if jobs is None:
        return there if there != ["cpu"] else ["cpu"] * max(1, available_cores() // threads)
    return [there[index % len(there)] for index in range(max(jobs, 1))]
