"""What is spoken of a reply that is longer than speech takes."""

from itertools import accumulate
from pathlib import Path

import pytest

from parley.conversation.segments import Segmenter
from parley.conversation.sentences import is_sentence_end, proposed_ends

TABLE = Path(__file__).with_name("sentences.txt").read_text("utf-8").removeprefix("# ")
LANGUAGES = {
    language: [f"{line}{'' if language in {'ja', 'zh'} else ' '}" for line in lines]
    for language, *lines in (part.splitlines() for part in TABLE.split("\n# "))
}
"""By language, sentences of which each begins behind the one before."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reply_is_cut_where_sentences_of_its_language_end(language):
    """However it is written, no sentence is cut within; that two are not parted is rare."""
    reply, ends = "".join(LANGUAGES[language]), set(accumulate(map(len, LANGUAGES[language])))
    for every in (1, 7, len(reply)):
        segmenter, cuts, written = Segmenter(), set(), 0
        for start in range(0, len(reply), every):
            for segment in segmenter.feed(reply[start : start + every]):
                written += len(segment.text)
                cuts.add(written)
        assert sorted(reply[max(0, cut - 30) : cut] for cut in cuts - ends) == []
    found = {end for end in proposed_ends(reply) if is_sentence_end(reply, end)}
    assert len(ends - found) <= 2


@pytest.mark.parametrize(
    ("reply", "cuts"),
    [
        ("It was said by all of the others.[1] Smith", True),
        ("It was all said by the great Dr.[1][^2] Smith", False),
        ("Oh, what you say is just on par. I see", True),
        ("Oh, what you say is just on par. 5 of it", False),  # Elsewhere it is an abbreviation.
        ("Oh, what you say is just on par.\n5 of it", True),
        ("Oh, what you say is sensible. 5 of it", True),
        ("Oh, what you say is just on par. (", False),  # Nobody knows if a number follows.
        ("Nobody knows but the answer is no. It is", True),
        ("It is all of what he has. Then I left for it", True),
        ("It went on and on until World War II. Then", True),
        ("It was all about Queen Elizabeth II. She", True),
        ("Er fiel noch im Herbst im II. Weltkrieg", False),
        ("Az ország akkori királya IV. Béla volt", False),
        ("O dönemin hükümdarı Sultan II. Mahmut", False),
        ("Evet. Tamam bu mu? IV. Murat", False),
        ("Evet, bu tamam. IV. Murat", False),
        ("Za šťastné vlády Karla IV. Praha", False),
        ("Dün akşam onunla hep 5. Cadde üzer", False),
        ("Er hörte gern Mozarts 40. Sinfonie an", False),
        ("Magyarországon ekkor már Béla II. Rákó", False),
        ("You will find it in the book, App. B of", False),
        ("Es ist immer geöffnet, Mo.–Fr. 8–17 Uhr", False),
        ("Wenn du es möchtest, helfe ich dir. Dann", False),  # Nobody knows what word it becomes.
        ("Wenn du es möchtest, helfe ich dir. Dann i", True),
        ("It was all told to us by Prof. She Wang of", False),
        ("It was all told to us by Prof. She ", False),  # Nobody knows if her name follows.
        ("He went home (so it was all done.) She", False),
        ("He went home. (Or was it all done?) She", True),
        ("Er kam zu uns (wie immer viel zu spät!) Montag", False),
        ("(He said to me that it is done.) She", True),
        ("He went home. (So it was all done.) she", False),
        ("He wrote to all. (At Yahoo!) Mail", False),
        ("He sent it all. (It is as in approx.) Ten", False),
        ("Vi talte alle med den nye dir. Danner om", False),
        ("Das steht im dicken Buch, 2. Band der", False),
        ("Er wohnt in der Lindenstr. 4. Dort st", True),
        ("Es begann bereits Ende 5. Jh. v", False),
        ("那么我们就先来看看 1. 部分", False),
        ("You got it in London at 5 p.m. EST", False),
        ("It is so: \\begin{align} x is. Then y", False),
        ("You got it in London at 5 p.m. I w", True),
        ("I write to you about it, ref. No. 5", False),
        ("Χθες πήγαμε στον παλιό Αγ. Νικόλαο", False),
        ("כל זה כתוב בספר הישן שלנו, עמ. שש", False),
        ("เมื่อวานเราได้พบกับท่าน รศ. วิชัย", False),
        ("Hôm qua chúng tôi đã gặp NSND. Trà", False),
        ("그는 나에게 작은 소리로 '그래.' 하고", False),
        ("彼女はそれをとても喜んだ！とのこと", False),
        ("それはとても美味しいね！みたいな", False),
        ("Pameran itu diadakan PT. Telkom di", False),
        ("Dia tinggal dengan Bapak dan Ny. Sari", False),
        ("പദ്ധതിയുടെ ഡയറക്ടർ പ്രൊഫ. മീരാ മേനോൻ", False),
        ("நேற்று மாலை விழாவில் டாக்டர். ராமன்", False),
        ("אתמול בערב דיבר איתנו פרופ. כהן על", False),
        ("Lihatlah ini dalam buku itu, Cet. Ketiga", False),
        ("The answer to that question is 42. It is", True),
        ("i like it like that, too. you do not", True),  # This writer uses no capitals.
        ("I like it like that, too. you do not", False),
        ("Is that what you really want? — N", True),
        ("Is that what you really want? —", False),  # Nobody knows whether it goes on.
        ("Is that what you really want? — said", False),
        ('She looked at me for long: "Stop it. Now', False),
        ("Look at the site named example.com. Then", True),
        ("You got it in London at 5 p.m. Then", True),
        ("You got it in London at 5 p.m. Tu", False),  # Nobody knows what day it becomes.
        ("You got it in London at 5 p.m. Tuesday", False),
        ("They all went down to it on 24. 12. We went", False),
        ("Dies sind nun wohl 3. und 4. Kapitel des", False),
        ("Han sade till alla andra: ”Stopp. Nu", False),
        ('他又说了一次："这是对的。"他就走了。现在', True),
        ("He was born there on the last Sun. 9 of", False),
        ("De prijs is hier nu in totaal 5 mln. Euro", False),
        ("पन्ने पर लिखा है, पन् 89 उदा. के लिए", False),
        ("どうしても私も行くのですか？と聞いた", False),
        ("どうしても私も行くのですか？とても良い", True),
        ("It was for all of us a hidden gem. You", True),
        ("Il libro che ho letto ieri è mio. Poi", True),
        ("Wir alle feiern ihn am 3. Oktober in", False),
        ("Wir alle feiern ihn am 3. Okt", False),  # Nobody knows what word it becomes.
        ("Wir alle feiern ihn am 3. Okt 2026", False),
        ("Wir alle feiern ihn am 3. Okt. 2026", False),
        ("So war es Mitte 19. Jahrhunder", False),
        ("It all began on the 23rd. May 1884", False),
        ("It is here, on the 23rd. Then it", True),
        ("It was in the year 1884. May I", True),
        *((f"Go back to the old Com. {sign} Adm.", False) for sign in "&;:%/=×"),
        ("Das ist doch heute der 1. Platz gewesen", False),
        ("Das ist das Urteil mit dem Az. I ZR 5 ge", False),
        ("Au venit domnul și doamna, dna. Ionescu", False),
        ("Wir beginnen damit erst am 2. Tag der", False),
        ("Er feierte gern seinen 50. Geburtstag in", False),
        ("So schrieb er es an alle: 1. Febr. 2026", False),
        ("Das passiert an jedem 7. Tag des Monats", False),
        ("Urodziła się dopiero 7 list. 1867 r. w", False),
        ("Ich fragte die Frau Dr. phil. Weber", False),
        ("Doch er sagte zu allen nur usw. wirklich. Weber", True),
        ("Er ging so weit, wie er konnte ... . Dann", True),
        ("He looked at me for very long -. Then", True),
        ("He looked at me for very long.-. Then", True),
        ("Ο γιατρός μας είναι ο δρ. Γεωργίου", False),
        ("Սա գրել է մեր բոլորի պրոֆ. Պետրոսյանը", False),
        ("ይህን የጻፈው የእኛ ዶክተር ፕሮፌ. አበበ", False),
        ("वह बहुत देर तक सोचता रहा... मैं", False),
        ("这是我们大家的Ｕ．Ｓ．Ａ．的经济政策", False),
        ("Since the last week I am 42. You are", True),
        ("Le città sono molte, ad es. Milano e", False),
        ("Hij sprak gisteren met Dhr. Jansen", False),
        ("The car went there at 60 mph. The", True),
        ("Nobody here has got any DVD. The", True),
        # No sentence ends in the rest of a quotation that a clause has cut.
        ("頭取は「経済の先行きに不透明感が増して、試練の時です。努力が大事」と述べた。次に", 2),
        (
            "She told us and them: “Well now, my dears, do please stop it. Now go.” and left. Then",
            2,
        ),
    ],
)
def test_what_follows_begins_a_sentence_and_what_ends_is_none_of_its_words(reply, cuts):
    """A cut that comes too late costs a little time, and one that comes too early is heard."""
    assert len(Segmenter().feed(reply)) == cuts
