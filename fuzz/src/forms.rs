//! What a browser sends: addresses, forms and uploads.

use http::Request;
use http_body_util::Full;
use hyper::body::Bytes;
use pages::visit::{Fields, Visit};

/// The body of a form: the first line is its content type, the rest its bytes.
pub(crate) fn form(bytes: &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (kind, body) = bytes.split_at(end);
    let body = Bytes::copy_from_slice(body.get(1..).unwrap_or_default());
    let request = Request::post("/sheets/new").header("content-type", kind).body(Full::new(body));
    let Ok(request) = request else { return };
    let sent = bytes.len();
    let Some(visit) = read(request) else { return };
    let fields: usize = visit.form.0.iter().map(|(name, value)| name.len() + value.len()).sum();
    let files: usize = visit.files.iter().map(|file| file.bytes.len()).sum();
    // A byte that is no UTF-8 becomes a mark of three.
    assert!(fields <= 3 * sent && files <= sent, "a form grew while it was read");
}

fn read(request: Request<Full<Bytes>>) -> Option<Visit> {
    thread_local! {
        static RUNTIME: Option<tokio::runtime::Runtime> =
            tokio::runtime::Builder::new_current_thread().enable_time().build().ok();
    }
    let read = pages::http::read::<Full<Bytes>>(request, "127.0.0.1".to_owned());
    RUNTIME.with(|runtime| runtime.as_ref()?.block_on(read).ok())
}

/// An address with its cookies, and the text as fields.
pub(crate) fn address(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    drop(Visit::to(&text));
    let fields = Fields::parse(&text);
    assert!(fields.0.len() <= bytes.len() + 1, "more fields than bytes");
    let (target, cookie) = text.split_once('\n').unwrap_or((&text, ""));
    let request = Request::get(target).header("cookie", cookie).body(Full::<Bytes>::default());
    let request: Result<Request<Full<Bytes>>, http::Error> = request;
    request.ok().and_then(read);
}

#[cfg(test)]
mod tests {
    use crate::hold;

    /// A form of 64 MiB was read into two texts for every two of its bytes before its fields were counted.
    #[test]
    fn a_form_of_nothing_but_names_is_not_taken_apart_whole() {
        let form = ["application/x-www-form-urlencoded\n", &"a&".repeat(100_000)].concat();
        hold("form", form.as_bytes());
    }
}
