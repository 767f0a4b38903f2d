"""The policy gradient of one episode, with discounted returns, a baseline and an entropy bonus."""
import numpy as np

import autograd_lite as ag

from . import leaves

STEPS, ACTIONS, DISCOUNT, BONUS = 4, 3, 0.9, 0.2


def discounted(rewards):
    returns, running = np.zeros(STEPS), 0.0
    for k in reversed(range(STEPS)):
        running = rewards[k] + DISCOUNT * running
        returns[k] = running
    return returns


def point(rng):
    return {"states": rng.normal(size=(STEPS, 2)), "theta": rng.normal(size=(2, ACTIONS)),
            "actions": rng.integers(ACTIONS, size=STEPS), "rewards": rng.normal(size=STEPS),
            "baseline": rng.normal()}


def forward(point):
    theta = leaves(point["theta"])
    logits = point["states"] @ theta
    pi = np.array([ag.softmax(row) for row in logits])
    logpi = np.log(pi[np.arange(STEPS), point["actions"]])
    advantage = discounted(point["rewards"]) - point["baseline"]
    gain = (logpi * advantage).sum()
    entropy = -(pi * np.log(pi)).sum()
    loss = -gain - BONUS * entropy
    ag.label(theta=theta, logits=logits, pi=pi, logpi=logpi, gain=gain, entropy=entropy, loss=loss)
    return loss


def hand(point, write):
    states, theta, rewards = point["states"], point["theta"], point["rewards"]
    e = np.exp(states @ theta)
    pi = e / e.sum(axis=1, keepdims=True)
    taken = np.eye(ACTIONS)[point["actions"]]
    returns = discounted(rewards)
    advantage = returns - point["baseline"]

    dlogpi = write("logpi", -advantage, sign=lambda: advantage.copy(), missing_term=lambda: -returns,
                   substitution=lambda: point["baseline"] - rewards,
                   shift=lambda: point["baseline"] - np.append(returns[1:], 0.0))
    surprise = np.log(pi) - (pi * np.log(pi)).sum(axis=1, keepdims=True)
    dentropy = write(("entropy", "logits"), -pi * surprise, sign=lambda: pi * surprise,
                     missing_term=lambda: -pi * np.log(pi), substitution=lambda: -pi * (1 + np.log(pi)))
    score = taken - pi
    dlogits = write("logits", dlogpi[:, None] * score - BONUS * dentropy,
                    missing_path=lambda: dlogpi[:, None] * score,
                    sign=lambda: dlogpi[:, None] * score + BONUS * dentropy,
                    missing_term=lambda: dlogpi[:, None] * taken - BONUS * dentropy,
                    missing_factor=lambda: dlogpi[:, None] * score - dentropy,
                    missing_factor_2=lambda: -score - BONUS * dentropy)
    write("theta", states.T @ dlogits, factor=lambda: states.T @ dlogits / STEPS,
          missing_term=lambda: np.outer(states[0], dlogits[0]))
    return write.claims
