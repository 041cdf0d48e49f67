//! An enrolment code as people copy, cut and mistype it.

use proptest::prelude::*;
use sync_protocol::enrolment::{Enrolment, EnrolmentError, proof, proves};

use crate::sample;

#[test]
fn a_code_reads_back_though_a_mail_wrapped_it() {
    let code = sample::enrolment().to_code();
    let wrapped: Vec<String> =
        code.as_bytes().chunks(60).map(|line| String::from_utf8_lossy(line).into()).collect();
    assert_eq!(Enrolment::from_code(&wrapped.join("\r\n  ")), Ok(sample::enrolment()));
}

#[test]
fn what_is_wrong_with_a_code_is_said() {
    let code = sample::enrolment().to_code();
    let check = |code: &str, expected| assert_eq!(Enrolment::from_code(code), Err(expected), "{code}");
    check("", EnrolmentError::NotACode);
    check("hello", EnrolmentError::NotACode);
    check("FB", EnrolmentError::CutShort);
    check("FB2-AAAA", EnrolmentError::Newer);
    check(&code.replace('-', "+"), EnrolmentError::NotACode);
    check(&format!("{code}A"), EnrolmentError::Mistyped);
    for end in 4..code.len() {
        check(&code[..end], EnrolmentError::CutShort);
    }
}

#[test]
fn the_proof_is_of_one_secret_one_device_and_one_key() {
    let key = sample::device().public();
    let mine = proof(&[1; 16], sample::LINE.0, &key);
    assert!(proves(&[1; 16], sample::LINE.0, &key, &mine));
    assert!(!proves(&[2; 16], sample::LINE.0, &key, &mine));
    assert!(!proves(&[1; 16], records::id::Replica(1), &key, &mine));
    assert!(!proves(&[1; 16], sample::LINE.0, &sample::hq().public(), &mine));
}

proptest! {
    #[test]
    fn one_wrong_letter_is_noticed(at in any::<prop::sample::Index>(), letter in "[A-Za-z0-9_-]") {
        let code = sample::enrolment().to_code();
        let mut typed = code.clone();
        // The letters before this one are the prefix and the length.
        let at = 7 + at.index(code.len() - 7);
        typed.replace_range(at..=at, &letter);
        prop_assume!(typed != code);
        prop_assert_eq!(Enrolment::from_code(&typed), Err(EnrolmentError::Mistyped));
    }

    #[test]
    fn any_text_is_refused_and_never_panics(text in "(FB1-)?\\PC{0,80}") {
        prop_assert!(Enrolment::from_code(&text).is_err());
    }
}
