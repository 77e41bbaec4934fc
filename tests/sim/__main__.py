"""python -m tests.sim: run seeds."""
import sys, time, traceback
from tests.sim.simulation import run
start=int(sys.argv[1]); n=int(sys.argv[2])
t=time.time()
from collections import Counter
c=Counter(); bad=0; vs=0; sw=0
for s in range(start,start+n):
    r=run(s)
    c+=r.counts; vs+=r.virtual_s; sw+=r.switches
    if r.violation: print(s, r.violation[:600]); bad+=1
print(n/(time.time()-t),"seeds/s", bad, "bad", dict(c), vs/n, sw/n)
