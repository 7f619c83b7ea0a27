"""Tables of text."""

from triptych_datasets.tables import print_table


def test_columns_are_lined_up_and_numbers_to_the_right(capsys):
    print_table([("A", "B"), ("long", "1"), ("x", "100")], numbers=[1])
    assert capsys.readouterr().out == "A       B\nlong    1\nx     100\n"
