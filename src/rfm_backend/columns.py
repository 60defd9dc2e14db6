"""The names of columns and roles, once for frames, files, SQL and JSON.

A *role* is what a column of the user's file means (``customer_id``); the roles of one cleaned
line are the columns of ``LINES``. What one row is stands beside each table below.
"""

from typing import Final

CUSTOMER_ID: Final = "customer_id"
INVOICE_ID: Final = "invoice_id"
INVOICE_DATE: Final = "invoice_date"
INVOICE_TIME: Final = "invoice_time"
QUANTITY: Final = "quantity"
UNIT_PRICE: Final = "unit_price"
AMOUNT: Final = "amount"
PRODUCT_ID: Final = "product_id"
CUSTOMER_NAME: Final = "customer_name"
EMAIL: Final = "email"
PHONE: Final = "phone"
COUNTRY: Final = "country"
CHANNEL: Final = "channel"
CURRENCY: Final = "currency"
STATUS: Final = "status"
FREQUENCY: Final = "frequency"
MONETARY: Final = "monetary"
RECENCY: Final = "recency"
FIRST_PURCHASE_DATE: Final = "first_purchase_date"
LAST_PURCHASE_DATE: Final = "last_purchase_date"

# The roles that a column of a file may have, in the order in which they are shown.
ROLES: Final = (
    CUSTOMER_ID,
    INVOICE_ID,
    INVOICE_DATE,
    INVOICE_TIME,
    QUANTITY,
    UNIT_PRICE,
    AMOUNT,
    PRODUCT_ID,
    CUSTOMER_NAME,
    EMAIL,
    PHONE,
    COUNTRY,
    CHANNEL,
    CURRENCY,
    STATUS,
    FREQUENCY,
    MONETARY,
    LAST_PURCHASE_DATE,
    FIRST_PURCHASE_DATE,
)
NUMBER_ROLES: Final = (QUANTITY, UNIT_PRICE, AMOUNT, FREQUENCY, MONETARY)
DATE_ROLES: Final = (INVOICE_DATE, LAST_PURCHASE_DATE, FIRST_PURCHASE_DATE)
CONTACT_ROLES: Final = (CUSTOMER_NAME, EMAIL, PHONE)

R_SCORE: Final = "r_score"
F_SCORE: Final = "f_score"
M_SCORE: Final = "m_score"
RFM_CELL: Final = "rfm_cell"
SEGMENT: Final = "segment"
CLUSTER: Final = "cluster"

# One row per customer (with ``--by``, per customer and group value); contact and kept columns follow.
RESULT: Final = (
    CUSTOMER_ID,
    RECENCY,
    FREQUENCY,
    MONETARY,
    R_SCORE,
    F_SCORE,
    M_SCORE,
    RFM_CELL,
    SEGMENT,
    CLUSTER,
    FIRST_PURCHASE_DATE,
    LAST_PURCHASE_DATE,
)
