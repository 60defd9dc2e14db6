"""A bare read of a workbook's first sheet: every row as Python values, nothing checked or kept."""

import sys

import python_calamine

sheet = python_calamine.CalamineWorkbook.from_path(sys.argv[1]).get_sheet_by_index(0)
print(sum(1 for _ in sheet.iter_rows()))
