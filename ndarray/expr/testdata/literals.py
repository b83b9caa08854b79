# Writes literals.json: random expressions of literals and what Python 3.11 says: python literals.py > literals.json
import json, math, random
random.seed(20261125)
INTS = ['0', '1', '2', '3', '7', '10', '63', '255', '1000003', '9223372036854775807', '18446744073709551616', '123456789012345678901234567890']
FLOATS = ['0.0', '0.1', '0.5', '1.5', '2.0', '3.7', '1e3', '1e-3', '1e16', '2.5e-7', '1e300']
def gen(d):
    r = random.random()
    if d == 0 or r < .25:
        return random.choice(random.choice([INTS, INTS, FLOATS, ['True', 'False']]))
    if r < .4:
        return random.choice('+-~') + gen(d - 1)
    op = random.choice(['+', '-', '*', '/', '//', '%', '**', '<<', '>>', '&', '|', '^', '<', '<=', '==', '!=', '>'])
    return '(%s %s %s)' % (gen(d - 1), op, gen(d - 1))
out, seen = [], set()
while len(out) < 1500:
    s = gen(random.choice([1, 2, 2, 3]))
    if s in seen: continue
    seen.add(s)
    try:
        if '**' in s and any(len(t) > 3 for t in s.replace('(', ' ').replace(')', ' ').split() if t.isdigit()): raise MemoryError
        v = eval(s)
    except (ZeroDivisionError, TypeError, OverflowError, ValueError):
        out.append([s, 'error', '']); continue
    except MemoryError:
        continue
    if isinstance(v, complex): continue
    if isinstance(v, int) and v.bit_length() > 60000: continue
    out.append([s, type(v).__name__, repr(v)])
print('[\n' + ',\n'.join(json.dumps(o) for o in out) + '\n]')
