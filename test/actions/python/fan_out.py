"""Asks several slow sources at once with asyncio, and gives up on the slowest."""
import asyncio


async def source(name, delay):
    await asyncio.sleep(delay / 1000)
    return name


async def gather(sources, patience):
    tasks = {asyncio.create_task(source(s["name"], s["delay"])): s["name"] for s in sources}
    done, pending = await asyncio.wait(tasks, timeout=patience / 1000)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    echoed = await (await asyncio.create_subprocess_exec("echo", "hi", stdout=asyncio.subprocess.PIPE)).communicate()
    return {
        "answers": sorted(task.result() for task in done),
        "late": sorted(tasks[task] for task in pending),
        "echo": echoed[0].decode().strip(),
    }


def main(args):
    return asyncio.run(gather(args["sources"], args.get("patience", 300)))
