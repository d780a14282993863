import time, cProfile, pstats
from tests.durability.story import Stage, differences
async def test_x(database):
    s = await Stage.open(database)
    base, passed = await s.play()
    p=cProfile.Profile(); p.enable()
    for i in range(3): await s.play()
    p.disable()
    pstats.Stats(p).sort_stats("cumtime").print_stats(70)
    from tests.durability import story
    t=time.perf_counter()
    for i in range(5): await s.play()
    print("with studio", (time.perf_counter()-t)/5)
    async def no(*a): pass
    story.edit_in_studio=no
    t=time.perf_counter()
    for i in range(5): await s.play()
    print("without studio", (time.perf_counter()-t)/5)
    await s.close()
