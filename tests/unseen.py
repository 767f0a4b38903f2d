"""Things from where no compiled function can see them."""
import os


def unseen(things):
    """A function that gives one after the other, by numbers that it reads from a pipe."""
    things = list(things)
    end, start = os.pipe()
    os.write(start, bytes(range(len(things))))
    os.close(start)
    return lambda: things[os.read(end, 1)[0]]
