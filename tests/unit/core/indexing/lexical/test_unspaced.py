"""A rare word is found first in scripts without spaces between words."""

import random
from collections.abc import Sequence

import pytest

from core.domain.library import Language
from core.indexing.lexical.bm25 import LexicalIndex, LexicalReader

COMMON = {
    "thai": """
        ผม คุณ เขา เรา ชอบ กิน ข้าว ไป มา ที่ บ้าน โรงเรียน ทำงาน วันนี้
        พรุ่งนี้ อากาศ ร้อน เย็น มาก น้อย เรียน หนังสือ ภาษา ไทย อังกฤษ รถ ถนน
        ตลาด ผลไม้ อาหาร น้ำ ปลา หมู ไก่ และ หรือ แต่ เพราะ ว่า ให้
        """,
    "chinese": """
        我 你 他 我们 喜欢 学习 工作 今天 明天 天气 很 热 冷 学校 老师 学生 中国
        北京 上海 城市 人民 吃饭 水果 市场 汽车 道路 图书馆 电脑 手机 朋友 家庭
        和 或者 但是 因为 所以 可以 没有 问题 时间 发展
        """,
    "japanese": """
        私 あなた 彼 は が を に で 好き 食べる 飲む 行く 来る 今日 明日 天気
        暑い 寒い 学校 先生 学生 日本 東京 大阪 都市 仕事 勉強 です ます
        コーヒー テレビ ラーメン パソコン 友達 家族 そして しかし だから 時間
        問題
        """,
    "khmer": """
        ខ្ញុំ អ្នក គាត់ យើង ចូលចិត្ត ញ៉ាំ បាយ ទៅ មក ផ្ទះ សាលារៀន ធ្វើការ ថ្ងៃនេះ
        ស្អែក អាកាសធាតុ ក្តៅ ត្រជាក់ ច្រើន តិច រៀន សៀវភៅ ភាសា ខ្មែរ អង់គ្លេស ឡាន
        ផ្លូវ ផ្សារ ផ្លែឈើ អាហារ ទឹក ត្រី សាច់ និង ឬ ប៉ុន្តែ ព្រោះ
        """,
    "lao": """
        ຂ້ອຍ ເຈົ້າ ລາວ ພວກເຮົາ ມັກ ກິນ ເຂົ້າ ໄປ ມາ ບ້ານ ໂຮງຮຽນ ເຮັດວຽກ ມື້ນີ້
        ມື້ອື່ນ ອາກາດ ຮ້ອນ ເຢັນ ຫຼາຍ ຮຽນ ປຶ້ມ
        """,
    "burmese": """
        ကျွန်တော် သင် သူ ကျွန်ုပ်တို့ ကြိုက် စား ထမင်း သွား လာ အိမ် ကျောင်း
        အလုပ် ဒီနေ့ မနက်ဖြန် ရာသီဥတု ပူ အေး များ စာအုပ် ဘာသာ မြန်မာ အင်္ဂလိပ်
        ကား လမ်း ဈေး
        """,
    "korean": """
        나는 너는 그는 우리는 좋아 학교에서 공부 일하다 오늘 내일 날씨가 덥다
        춥다 선생님 학생 한국 서울에서 도시 시장 자동차 도로 도서관 컴퓨터 친구
        가족 그리고 그러나 시간 문제를
        """,
}
RARE = {
    "thai": ["ทุเรียน", "มหาวิทยาลัย", "คอมพิวเตอร์", "ไดโนเสาร์", "กล้วยไม้"],
    "chinese": ["恐龙", "量子力学", "学会", "围棋", "京剧"],
    "japanese": ["恐竜", "東海", "囲碁", "テレパシー", "量子力学"],
    "khmer": ["ដាយណូស័រ", "ទុរេន", "កុំព្យូទ័រ", "អាកាសយានដ្ឋាន", "សាកលវិទ្យាល័យ"],
    "lao": ["ທຸລຽນ", "ມະຫາວິທະຍາໄລ", "ຄອມພິວເຕີ"],
    "burmese": ["ဒူးရင်း", "တက္ကသိုလ်", "ကွန်ပျူတာ"],
    "korean": ["공룡", "양자역학", "바둑", "공부방"],
}
CASES = [(script, word) for script, words in RARE.items() for word in words]
TEXTS = 240


@pytest.mark.parametrize(("script", "word"), CASES)
def test_a_word_in_two_texts_is_first(script: str, word: str) -> None:
    reader, places = corpus_with(script, word)
    assert set(reader.search(word, 2).row_ids.tolist()[:2]) == places


@pytest.mark.parametrize(("script", "word"), CASES)
def test_a_phrase_is_in_those_texts_only(script: str, word: str) -> None:
    reader, places = corpus_with(script, word)
    assert set(reader.search(f'"{word}"', TEXTS).row_ids.tolist()) == places


def corpus_with(script: str, word: str) -> tuple[LexicalReader, set[int]]:
    """Return an index of random texts, and the rows of the two that contain the word."""
    chance = random.Random(f"{script} {word}")
    texts = [sentence(chance, COMMON[script].split()) for _ in range(TEXTS)]
    places = set(chance.sample(range(TEXTS), 2))
    for place in places:
        texts[place].insert(chance.randrange(1, len(texts[place])), word)
    joint = " " if script == "korean" else ""
    index = LexicalIndex(Language.NONE)
    return index.change(enumerate(joint.join(text) for text in texts), []), places


def sentence(chance: random.Random, words: Sequence[str]) -> list[str]:
    return chance.choices(words, k=chance.randrange(15, 60))
