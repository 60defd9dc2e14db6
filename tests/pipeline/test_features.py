"""Features: log1p, standardised; the same bits when a saved scaler is applied."""

import math
from pathlib import Path

import numpy as np
import pytest
from customers import read_retail_customers
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import StandardScaler

from rfm_backend.errors import NoUsableRows, UnusableInput
from rfm_backend.pipeline.features import centres_in_units, make_features, standardise

CUSTOMERS = st.lists(
    st.tuples(
        st.integers(0, 4000),
        st.integers(1, 500),
        st.decimals("0.01", "1000000000", places=2).map(float),
    ),
    min_size=1,
    max_size=12,
)


def test_a_logarithm_is_taken_and_standardised() -> None:
    # log1p of 0, 1, 3 is 0, ln 2, 2 ln 2: mean ln 2, population deviation ln 2 * sqrt(2/3).
    features = make_features([0, 1, 3], [1, 3, 7], [1.0, 3.0, 7.0])

    assert features.means[0] == pytest.approx(math.log(2), rel=1e-15)
    assert features.scales[0] == pytest.approx(math.log(2) * math.sqrt(2 / 3), rel=1e-15)
    assert features.matrix[:, 0] == pytest.approx([-math.sqrt(1.5), 0, math.sqrt(1.5)], abs=1e-15)
    assert features.means[1] == pytest.approx(2 * math.log(2), rel=1e-15)


def test_the_columns_are_recency_frequency_monetary() -> None:
    features = make_features([1, 1], [1, 3], [9.0, 9.0])

    assert features.matrix == pytest.approx(np.array([[0, -1, 0], [0, 1, 0]]), abs=1e-12)


def test_a_column_that_never_varies_is_zero_and_has_scale_one() -> None:
    # The mean of 49 times ln 1.1 is not ln 1.1 in floats; the deviation must be zero all the same.
    features = make_features([5] * 49, [1] * 49, [0.1] * 49)

    assert features.scales == (1.0, 1.0, 1.0)
    assert not features.matrix.any()


def test_one_customer_is_a_point_at_zero() -> None:
    features = make_features([326], [1], [77183.6])

    assert features.matrix.tolist() == [[0.0, 0.0, 0.0]]
    assert features.means == pytest.approx((math.log(327), math.log(2), math.log(77184.6)))


def test_small_integers_are_not_taken_to_half_precision() -> None:
    narrow = make_features(*(np.array([1, 2, 100], dtype=np.int8) for _ in range(3)))
    wide = make_features([1, 2, 100], [1, 2, 100], [1, 2, 100])

    assert narrow.matrix.tobytes() == wide.matrix.tobytes()


def test_the_scaler_is_that_of_scikit_learn(data_dir: Path) -> None:
    customers = read_retail_customers(data_dir)
    peer = StandardScaler().fit(np.log1p(np.column_stack(customers)))

    features = make_features(*customers)

    assert features.means == pytest.approx(peer.mean_.tolist(), rel=1e-13)
    assert features.scales == pytest.approx(peer.scale_.tolist(), rel=1e-13)
    assert np.allclose(
        features.matrix, peer.transform(np.log1p(np.column_stack(customers))), atol=1e-12
    )


@given(CUSTOMERS)
def test_every_column_has_mean_zero_and_deviation_one_or_is_all_zero(
    customers: list[tuple[int, int, float]],
) -> None:
    features = make_features(*zip(*customers, strict=True))

    for index in range(3):
        column = features.matrix[:, index]
        if len({customer[index] for customer in customers}) == 1:
            assert not column.any()
        else:
            assert column.mean() == pytest.approx(0, abs=1e-6)
            assert column.std() == pytest.approx(1, abs=1e-6)


@given(CUSTOMERS, st.data())
def test_a_saved_scaler_gives_each_customer_the_same_bits_in_any_company(
    customers: list[tuple[int, int, float]], data: st.DataObject
) -> None:
    features = make_features(*zip(*customers, strict=True))
    order = data.draw(st.permutations(range(len(customers))))
    some = order[: data.draw(st.integers(1, len(customers)))]

    again = standardise(
        *zip(*(customers[index] for index in some), strict=True),
        means=features.means,
        scales=features.scales,
    )

    assert again.tobytes() == features.matrix[some].tobytes()


def test_no_customers_are_refused() -> None:
    with pytest.raises(NoUsableRows, match="no customer"):
        make_features([], [], [])


@pytest.mark.parametrize("wrong", [-1.0, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("dimension", ["recency", "frequency", "monetary"])
def test_a_value_without_a_logarithm_is_refused_by_name(wrong: float, dimension: str) -> None:
    values = {"recency": [1.0, 2.0], "frequency": [1.0, 2.0], "monetary": [1.0, 2.0]}
    values[dimension] = [1.0, wrong]

    with pytest.raises(UnusableInput) as refusal:
        make_features(**values)

    assert refusal.value.details == {"dimension": dimension, "customers": 1}
    assert f"{dimension} of 1 customers" in str(refusal.value)


def test_what_was_given_is_not_changed_and_what_comes_out_cannot_be() -> None:
    values = np.array([1.0, 2.0, 3.0])

    features = make_features(values, values, values)

    assert values.tolist() == [1.0, 2.0, 3.0]
    with pytest.raises(ValueError, match="read-only"):
        features.matrix[0, 0] = 1.0


def test_centres_come_back_in_days_purchases_and_money() -> None:
    means = (math.log(51), math.log(3), math.log(675))
    scales = (1.0, 0.5, 2.0)

    centres = centres_in_units([[0.0, 0.0, 0.0], [0.0, 2.0, -0.5]], means=means, scales=scales)

    # ln(1 + x) moved by 0, 2 * 0.5 and -0.5 * 2: 3 e - 1 purchases and 675 / e - 1 of money.
    assert centres[0] == pytest.approx((50, 2, 674))
    assert centres[1] == pytest.approx((50, 3 * math.e - 1, 675 / math.e - 1))
