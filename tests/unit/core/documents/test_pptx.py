"""Presentations as people make them: charts, diagrams, groups and placeholders of the master."""

import io
from typing import Any

from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.oxml import parse_xml
from pptx.util import Inches

from core.documents.kinds import parse_content

PLACE = (Inches(1), Inches(1), Inches(4), Inches(3))


def texts(presentation: object) -> list[str]:
    out = io.BytesIO()
    presentation.save(out)  # type: ignore[attr-defined]
    return [block.text for block in parse_content(out.getvalue(), "a.pptx").blocks]


def test_a_chart_is_a_table_of_its_values() -> None:
    presentation = Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[6])
    values: Any = CategoryChartData()  # type: ignore[no-untyped-call]
    values.categories = ["Oslo", "Aden"]
    values.add_series("Depth", (9.5, 1234567))
    values.add_series("Ships", (3, None))
    slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, *PLACE, values)
    assert texts(presentation) == [
        "|  | Depth | Ships |\n| --- | --- | --- |\n| Oslo | 9.5 | 3 |\n| Aden | 1234567 |  |"
    ]


def test_a_chart_of_any_kind_is_read() -> None:
    presentation = Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[6])
    values: Any = CategoryChartData()  # type: ignore[no-untyped-call]
    values.categories = ["Oslo"]
    values.add_series("Depth", (0.1,))
    frame: Any = slide.shapes.add_chart(XL_CHART_TYPE.AREA, *PLACE, values)
    [area] = frame.chart._chartSpace.xpath("//c:areaChart")
    area.tag = area.tag.replace("areaChart", "area3DChart")  # which python-pptx does not know
    assert texts(presentation) == ["|  | Depth |\n| --- | --- |\n| Oslo | 0.1 |"]


def test_a_group_is_read_and_slide_numbers_are_not() -> None:
    presentation = Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[6])
    group = slide.shapes.add_group_shape()
    group.shapes.add_textbox(*PLACE).text_frame.text = "In a group."
    layout: Any = presentation.slide_layouts[6]
    number = next(p for p in layout.placeholders if "Number" in p.name)
    slide.shapes.clone_placeholder(number)
    slide.placeholders[number.placeholder_format.idx].text_frame.text = "7"
    assert texts(presentation) == ["In a group."]


def test_an_alternative_is_read_once() -> None:
    presentation = Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[6])
    shape = "<p:sp><p:txBody><a:p><a:r><a:t>Nine fathoms</a:t></a:r></a:p></p:txBody></p:sp>"
    slide.shapes._spTree.append(
        parse_xml(
            '<mc:AlternateContent xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/'
            'main" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:mc='
            '"http://schemas.openxmlformats.org/markup-compatibility/2006"><mc:Choice Requires='
            f'"a14">{shape}</mc:Choice><mc:Fallback>{shape}</mc:Fallback></mc:AlternateContent>'
        )
    )
    assert texts(presentation) == ["- Nine fathoms"]
