"""Sequences made from single pictures: a still camera with a little noise, and something that moves."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from PIL import Image

from deepcod.codec.data import Pictures, pack
from deepcod.export.sequences import SequencePlan, count, frames

SIZE = 64
PLAN = SequencePlan(every=3, length=4)


@pytest.fixture
def pictures(tmp_path):
    rng = np.random.default_rng(1)
    for i in range(8):
        flat = rng.integers(20, 236, (5, 5, 3), dtype=np.uint8)
        Image.fromarray(flat).resize((128, 96), Image.Resampling.BICUBIC).save(tmp_path / f"{i}.png")
    pack([tmp_path], SIZE, tmp_path / "pack.npz", quality=95)
    return Pictures([tmp_path / "pack.npz"], torch.device("cpu"), pad=114)


def test_every_picture_is_there_as_it_is_and_some_start_a_sequence(pictures):
    chosen = np.arange(8)
    made = list(frames(pictures, chosen, PLAN))
    assert len(made) == count(8, PLAN) == 8 + 3 * 3
    numbers = [number for number, _ in made]
    assert numbers == sorted(numbers)
    assert [numbers.count(i) for i in range(8)] == [4, 1, 1, 4, 1, 1, 4, 1]
    for i in chosen:
        first = made[numbers.index(i)][1]
        assert first.shape == (SIZE, SIZE, 3) and first.dtype == np.uint8
        assert np.array_equal(first, pictures.data[i].permute(1, 2, 0).numpy())


def test_a_sequence_stands_still_but_for_noise_and_what_moves(pictures):
    for seed in range(10):
        made = [picture for number, picture in frames(pictures, np.arange(1), SequencePlan(1, 4, seed)) if number == 0]
        for before, after in itertools.pairwise(made):
            difference = np.abs(before.astype(int) - after)
            assert difference[48:].max() == 0, "the border of the letterbox"
            changed = (difference[:48].max(axis=2) > 15).mean()
            assert changed < 0.6
            assert difference[:48].max() > 0
            assert np.median(difference[:48]) <= 4


def test_the_same_plan_gives_the_same_frames(pictures):
    first, again = ([p for _, p in frames(pictures, np.arange(8), PLAN)] for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    other = [p for _, p in frames(pictures, np.arange(8), SequencePlan(3, 4, 6))]
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_without_sequences_each_picture_stands_alone(pictures):
    alone = SequencePlan(length=1)
    assert [number for number, _ in frames(pictures, np.arange(8), alone)] == list(range(8))
    assert count(8, alone) == 8
