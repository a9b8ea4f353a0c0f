"""The next character: nothing is seen too early, and the probabilities of all texts add up."""

import itertools

import pytest
import torch

from afterscene.errors import BadParameter
from afterscene.school.autoregression import (
    Alphabet,
    FitConfig,
    NextToken,
    NextTokenConfig,
    train_steps,
)

TINY = NextTokenConfig(tokens=4, context=8, width=16, depth=2, heads=2)


def tiny(**sizes):
    torch.manual_seed(0)
    model = NextToken(NextTokenConfig(**{**TINY.__dict__, **sizes})).double()
    for parameter in model.parameters():  # loud enough that no influence is rounded away
        torch.nn.init.normal_(parameter, std=0.5)
    return model


def test_a_character_is_told_by_the_earlier_ones_alone():
    model = tiny()
    x = torch.tensor([[0, 1, 2, 3, 1, 2, 0, 3]])
    for place in range(8):
        other = x.clone()
        other[0, place] = (x[0, place] + 1) % 4
        changed = (model(x) - model(other)).abs().amax(dim=2)[0] > 1e-9
        assert changed.tolist() == [k >= place for k in range(8)]


def test_the_probabilities_of_all_texts_add_up_to_one():
    model = tiny(tokens=3)
    texts = torch.tensor([[0, *rest] for rest in itertools.product(range(3), repeat=4)])
    total = model.log_prob(texts).exp().sum()
    torch.testing.assert_close(total, torch.ones_like(total))


def test_it_learns_a_text_and_its_best_guess_goes_on_with_it():
    texts = ["abcabcabc", "xyzxyzxyz"]
    alphabet = Alphabet(texts)
    rows = alphabet.rows(texts, 12)
    assert [alphabet.decode(row) for row in rows] == ["\nabcabcabc\n\n", "\nxyzxyzxyz\n\n"]
    torch.manual_seed(0)
    model = NextToken(NextTokenConfig(tokens=len(alphabet), context=12, width=16, heads=2))
    losses = list(train_steps(model, rows, FitConfig(steps=150, batch=8, lr=1e-2)))
    assert losses[-1] < 0.3 * losses[0]
    written = [alphabet.decode(row).strip() for row in model.sample(40, length=11, seed=1)]
    assert set(written) > set(texts) or set(written) == set(texts)
    assert sum(text in texts for text in written) > 30
    (best,) = {
        alphabet.decode(row).strip()
        for seed in (1, 2)
        for row in model.sample(3, length=11, seed=seed, temperature=0.0)
    }
    assert best in texts


def test_a_text_is_the_same_in_any_batch_and_grows_by_one():
    model = tiny()
    states = list(model.walk(5, length=10, seed=3))  # longer than the context
    assert [state.shape[1] for state in states] == list(range(1, 11))
    assert all(torch.equal(a, b[:, :-1]) for a, b in itertools.pairwise(states))
    assert torch.equal(states[-1][:2], model.sample(2, length=10, seed=3))
    assert not torch.equal(states[-1], model.sample(5, length=10, seed=4))


def test_a_foreign_character_and_a_size_that_cannot_be_are_refused():
    with pytest.raises(BadParameter, match="not in the texts"):
        Alphabet(["abc"]).encode("abd")
    with pytest.raises(BadParameter, match="at least 2"):
        NextTokenConfig(tokens=1)
