//! The Unicode facts of a pattern: named properties and simple case folding.
//!
//! Go 1.26 has the tables of Unicode 15.0.0, `regex-syntax` newer ones. Two versions differ in what
//! they assign, hence everything is cut to the characters of 15.0, and in a handful of corrections,
//! named here. The module's tests hold every property to Go's.

use std::sync::OnceLock;

use regex_syntax::hir::{Class as HirClass, ClassUnicode, ClassUnicodeRange, HirKind};

use super::class::{Class, MAX, SURROGATES};

/// What Go 1.26 calls a category.
const CATEGORIES: &str = "C Cc Cf Cn Co Cs L Ll Lm Lo Lt Lu M Mc Me Mn N Nd Nl No P Pc Pd Pe Pf \
    Pi Po Ps S Sc Sk Sm So Z Zl Zp Zs";

/// The longer names of the categories, as [`canonical`] writes them.
const CATEGORY_ALIASES: &str = "Closepunctuation=Pe Combiningmark=M \
    Connectorpunctuation=Pc Control=Cc Currencysymbol=Sc Dashpunctuation=Pd Decimalnumber=Nd \
    Enclosingmark=Me Finalpunctuation=Pf Format=Cf Initialpunctuation=Pi Letter=L Letternumber=Nl \
    Lineseparator=Zl Lowercaseletter=Ll Mark=M Mathsymbol=Sm Modifierletter=Lm Modifiersymbol=Sk \
    Nonspacingmark=Mn Number=N Openpunctuation=Ps Other=C Otherletter=Lo Othernumber=No \
    Otherpunctuation=Po Othersymbol=So Paragraphseparator=Zp Privateuse=Co Punctuation=P \
    Separator=Z Spaceseparator=Zs Spacingmark=Mc Surrogate=Cs Symbol=S Titlecaseletter=Lt \
    Unassigned=Cn Uppercaseletter=Lu Cntrl=Cc Digit=Nd Punct=P";

/// The scripts that a pattern can name. Go 1.26 looks a script up without its underscores in a
/// table that has them, so that it knows no script of two words, such as `Old_Italic`, and not
/// `SignWriting`.
const SCRIPTS: &str = "Adlam Ahom Arabic Armenian Avestan Balinese Bamum Batak Bengali Bhaiksuki \
    Bopomofo Brahmi Braille Buginese Buhid Carian Chakma Cham Cherokee Chorasmian Common Coptic \
    Cuneiform Cypriot Cyrillic Deseret Devanagari Dogra Duployan Elbasan Elymaic Ethiopic Georgian \
    Glagolitic Gothic Grantha Greek Gujarati Gurmukhi Han Hangul Hanunoo Hatran Hebrew Hiragana \
    Inherited Javanese Kaithi Kannada Katakana Kawi Kharoshthi Khmer Khojki Khudawadi Lao Latin \
    Lepcha Limbu Lisu Lycian Lydian Mahajani Makasar Malayalam Mandaic Manichaean Marchen \
    Medefaidrin Miao Modi Mongolian Mro Multani Myanmar Nabataean Nandinagari Newa Nko Nushu Ogham \
    Oriya Osage Osmanya Palmyrene Phoenician Rejang Runic Samaritan Saurashtra Sharada Shavian \
    Siddham Sinhala Sogdian Soyombo Sundanese Syriac Tagalog Tagbanwa Takri Tamil Tangsa Tangut \
    Telugu Thaana Thai Tibetan Tifinagh Tirhuta Toto Ugaritic Vai Vithkuqi Wancho Yezidi Yi";

/// A spacing mark since Unicode 15.1, a nonspacing one before.
const AHOM_VOWEL_SIGN_O: (u32, u32) = (0x1171E, 0x1171E);

/// Three pairs that fold to each other since Unicode 15.1 and have no other case: iota and upsilon
/// with dialytika and tonos or oxia, and the ligatures of long s or s with t.
const UNPAIRED: [char; 6] = ['\u{390}', '\u{3B0}', '\u{1FD3}', '\u{1FE3}', '\u{FB05}', '\u{FB06}'];

/// The class that `\p{name}` names, with all cases of its members if `ignore_case`; none if Go knows
/// no such name.
pub(super) fn property(name: &str, ignore_case: bool) -> Option<Class> {
    let name = canonical(name);
    let known = |names: &'static str| names.split_ascii_whitespace();
    let class = match name.as_str() {
        "Any" => Class::new([(0, MAX)]),
        "Ascii" => Class::new([(0, 0x7F)]),
        "Assigned" => category("Cn")?.negated(),
        // The one property that Go never folds. It would gain U+0345.
        "Lc" | "Casedletter" => return category("LC"),
        _ => {
            if let Some(name) = known(CATEGORIES).find(|category| *category == name) {
                category(name)?
            } else if known(SCRIPTS).any(|script| script == name) {
                let mut class = lookup(&format!(r"\p{{sc={name}}}"))?;
                class.intersect(assigned());
                Class::from(&class)
            } else {
                let mut aliases = known(CATEGORY_ALIASES).filter_map(|alias| alias.split_once('='));
                category(aliases.find(|(alias, _)| *alias == name)?.1)?
            }
        }
    };
    Some(if ignore_case { class.folded() } else { class })
}

/// A name without its separators, the first letter large and the others small.
fn canonical(name: &str) -> String {
    let mut canonical = String::with_capacity(name.len());
    for c in name.chars().filter(|c| !matches!(c, '_' | '-' | ' ')) {
        let upper = canonical.is_empty();
        canonical.push(if upper { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() });
    }
    canonical
}

/// A general category as of Unicode 15.0.
fn category(name: &str) -> Option<Class> {
    if name == "Cs" {
        return Some(Class::new([SURROGATES]));
    }
    let mut class = lookup(&format!(r"\p{{gc={name}}}"))?;
    if matches!(name, "C" | "Cn") {
        let mut later = assigned().clone();
        later.negate();
        class.union(&later);
    } else {
        class.intersect(assigned());
    }
    let mut class = Class::from(&class);
    match name {
        "C" => class.push(SURROGATES.0, SURROGATES.1),
        "Mn" => class.push(AHOM_VOWEL_SIGN_O.0, AHOM_VOWEL_SIGN_O.1),
        "Mc" => {
            class = class.negated();
            class.push(AHOM_VOWEL_SIGN_O.0, AHOM_VOWEL_SIGN_O.1);
            class.normalise();
            class = class.negated();
        }
        _ => {}
    }
    class.normalise();
    Some(class)
}

/// The characters that Unicode 15.0 assigns, and its noncharacters.
fn assigned() -> &'static ClassUnicode {
    static ASSIGNED: OnceLock<ClassUnicode> = OnceLock::new();
    ASSIGNED.get_or_init(|| lookup(r"\p{age=15.0}").unwrap_or_else(ClassUnicode::empty))
}

/// Characters of Unicode 15.0 among which are all that have another case.
fn foldable() -> &'static ClassUnicode {
    static FOLDABLE: OnceLock<ClassUnicode> = OnceLock::new();
    FOLDABLE.get_or_init(|| {
        // Letters, Roman numerals, circled letters and the combining iota.
        let cased = r"[\p{gc=LC}\p{gc=Nl}\p{gc=So}\x{345}]";
        let mut class = lookup(cased).unwrap_or_else(ClassUnicode::empty);
        class.intersect(assigned());
        class.difference(&ClassUnicode::new(UNPAIRED.map(|c| ClassUnicodeRange::new(c, c))));
        class
    })
}

/// A class of `regex-syntax`, in its own syntax; none if it has no such class.
fn lookup(pattern: &str) -> Option<ClassUnicode> {
    match regex_syntax::parse(pattern).ok()?.into_kind() {
        HirKind::Class(HirClass::Unicode(class)) => Some(class),
        // A property of one character, such as Zl.
        HirKind::Literal(literal) => {
            let c = str::from_utf8(&literal.0).ok()?.chars().next()?;
            Some(ClassUnicode::new([ClassUnicodeRange::new(c, c)]))
        }
        _ => None,
    }
}

/// The characters that differ from one of the class by case only, and those themselves.
pub(super) fn fold(class: &ClassUnicode) -> ClassUnicode {
    let mut class = class.clone();
    class.intersect(foldable());
    // It fails only without the crate's folding tables, which are a feature of ours.
    if class.try_case_fold_simple().is_ok() {
        class.intersect(foldable());
    }
    class
}

/// The code points that a character matches without regard to case, sorted; at least itself.
pub(super) fn orbit(point: u32) -> Vec<u32> {
    let Some(c) = char::from_u32(point) else { return vec![point] };
    // K and S have a third form outside of ASCII.
    if c.is_ascii() && !matches!(c, 'k' | 'K' | 's' | 'S') {
        return if c.is_ascii_alphabetic() {
            vec![u32::from(c.to_ascii_uppercase()), u32::from(c.to_ascii_lowercase())]
        } else {
            vec![point]
        };
    }
    let is_foldable = |c: &char| {
        let ranges = foldable().ranges();
        let next = ranges.partition_point(|range| range.end() < *c);
        ranges.get(next).is_some_and(|range| range.start() <= *c)
    };
    if !is_foldable(&c) {
        return vec![point];
    }
    let mut class = ClassUnicode::new([ClassUnicodeRange::new(c, c)]);
    if class.try_case_fold_simple().is_err() {
        return vec![point];
    }
    let chars = class.iter().flat_map(|range| range.start()..=range.end());
    chars.filter(is_foldable).map(u32::from).collect()
}
