//! Between a server and the values: a request is read within limits, a reply is written with its headers.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;

use crate::reply::{Body, Reply};
use crate::visit::{FIELDS_MAX, Fields, HEADERS, Upload, Verb, Visit};

/// Bytes of one form with its files: a dozen photos of a good camera.
pub const FORM_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Files in one form.
const FILES_MAX: usize = 32;
/// Bytes of one field.
const FIELD_BYTES_MAX: usize = 64 * 1024;
/// Silence in a body.
const IDLE: Duration = Duration::from_secs(30);

/// What every page may load: its own files, and pictures that its script made.
const CONTENT: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Why a request was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Neither a look nor a form.
    #[error("only GET and POST are answered")]
    Method,
    /// More than a form may have.
    #[error("the form is larger than {FORM_BYTES_MAX} bytes")]
    TooLong,
    /// It breaks off, or is not a form.
    #[error("the form cannot be read")]
    Broken,
    /// Nothing came for half a minute.
    #[error("nothing came for 30 seconds")]
    Idle,
}

impl ReadError {
    /// Returns the HTTP status.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Broken => StatusCode::BAD_REQUEST,
            Self::Idle => StatusCode::REQUEST_TIMEOUT,
        }
    }
}

/// Reads a request; `from` is the address that it came from.
///
/// # Errors
/// [`ReadError`]; at most [`FORM_BYTES_MAX`] bytes were held.
pub async fn read<B>(request: Request<B>, from: String) -> Result<Visit, ReadError>
where
    B: hyper::body::Body<Data = Bytes> + Unpin,
{
    let (head, body) = request.into_parts();
    let target = head.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let mut visit = Visit { from, ..Visit::to(target) };
    visit.headers = HEADERS.iter().filter_map(|name| Some((*name, text(&head.headers, name)?))).collect();
    for line in head.headers.get_all(header::COOKIE) {
        let line = line.to_str().unwrap_or_default();
        let pairs = line.split(';').filter_map(|pair| pair.trim().split_once('='));
        visit.cookies.extend(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
    match head.method {
        Method::GET | Method::HEAD => Ok(visit),
        Method::POST => {
            visit.verb = Verb::Post;
            let kind = text(&head.headers, "content-type").unwrap_or_default();
            form(&mut visit, &kind, whole(body).await?).await?;
            Ok(visit)
        }
        _ => Err(ReadError::Method),
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

async fn whole<B>(mut body: B) -> Result<Bytes, ReadError>
where
    B: hyper::body::Body<Data = Bytes> + Unpin,
{
    let mut bytes = Vec::new();
    loop {
        let frame = tokio::time::timeout(IDLE, body.frame()).await.map_err(|_| ReadError::Idle)?;
        let Some(frame) = frame else { return Ok(bytes.into()) };
        let Ok(frame) = frame else { return Err(ReadError::Broken) };
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len().saturating_add(data.len()) > FORM_BYTES_MAX {
            return Err(ReadError::TooLong);
        }
        bytes.extend_from_slice(&data);
    }
}

async fn form(visit: &mut Visit, kind: &str, body: Bytes) -> Result<(), ReadError> {
    if !kind.starts_with("multipart/form-data") {
        let text = std::str::from_utf8(&body).map_err(|_| ReadError::Broken)?;
        visit.form = Fields::parse(text);
        let long = visit.form.0.iter().any(|(_, value)| value.len() > FIELD_BYTES_MAX);
        return if long || visit.form.0.len() > FIELDS_MAX { Err(ReadError::TooLong) } else { Ok(()) };
    }
    let boundary = multer::parse_boundary(kind).map_err(|_| ReadError::Broken)?;
    let once = futures_util::stream::once(async { Ok::<_, std::convert::Infallible>(body) });
    let mut parts = multer::Multipart::new(once, boundary);
    while let Some(part) = parts.next_field().await.map_err(|_| ReadError::Broken)? {
        let name = part.name().unwrap_or_default().to_owned();
        let file = part.file_name().map(str::to_owned);
        let bytes = part.bytes().await.map_err(|_| ReadError::Broken)?;
        match file {
            Some(file) if !bytes.is_empty() => {
                visit.files.push(Upload { field: name, name: file, bytes: bytes.to_vec() });
            }
            Some(_) => {}
            None if bytes.len() > FIELD_BYTES_MAX => return Err(ReadError::TooLong),
            None => visit.form.0.push((name, String::from_utf8_lossy(&bytes).into_owned())),
        }
        if visit.files.len() > FILES_MAX || visit.form.0.len() > FIELDS_MAX {
            return Err(ReadError::TooLong);
        }
    }
    Ok(())
}

/// Writes a reply.
#[must_use]
pub fn write(reply: Reply) -> Response<Full<Bytes>> {
    let mut headers = HeaderMap::new();
    let mut put = |name: header::HeaderName, value: &str| {
        // A value that is no header's is left out: a name of a file with a line end in it is not sent.
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.append(name, value);
        }
    };
    put(header::CONTENT_SECURITY_POLICY, CONTENT);
    put(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(header::REFERRER_POLICY, "same-origin");
    put(header::X_FRAME_OPTIONS, "DENY");
    for cookie in &reply.cookies {
        put(header::SET_COOKIE, cookie);
    }
    if let Some(seconds) = reply.retry_after_s {
        put(header::RETRY_AFTER, &seconds.to_string());
    }
    let mut status = reply.status;
    let body = match reply.body {
        Body::Page(html) => {
            put(header::CONTENT_TYPE, "text/html; charset=utf-8");
            put(header::CACHE_CONTROL, "no-store");
            Bytes::from(html)
        }
        Body::Go(to) => {
            put(header::LOCATION, &to);
            Bytes::new()
        }
        Body::File { kind, save_as, bytes, keeps } => {
            put(header::CONTENT_TYPE, kind);
            put(
                header::CACHE_CONTROL,
                if keeps { "private, max-age=31536000, immutable" } else { "no-store" },
            );
            if let Some(name) = save_as {
                let name = crate::visit::part(&name);
                put(header::CONTENT_DISPOSITION, &format!("attachment; filename*=UTF-8''{name}"));
            }
            Bytes::from(bytes)
        }
        Body::Unchanged => {
            status = 304;
            Bytes::new()
        }
    };
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    *response.headers_mut() = headers;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read_form(kind: &str, body: &str) -> Result<Visit, ReadError> {
        let request = Request::post("/sheets?x=1")
            .header("content-type", kind)
            .header("cookie", "a=1; b=2")
            .header("host", "127.0.0.1:1")
            .body(Full::new(Bytes::from(body.to_owned())))
            .unwrap();
        read(request, "127.0.0.1".to_owned()).await
    }

    #[tokio::test]
    async fn a_form_with_a_photo_is_read() {
        let body = "--x\r\nContent-Disposition: form-data; name=\"amount\"\r\n\r\n35.00\r\n--x\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"../../a.jpg\"\r\nContent-Type: image/jpeg\r\n\r\nJPEG\r\n--x\r\nContent-Disposition: form-data; name=\"empty\"; filename=\"\"\r\n\r\n\r\n--x--\r\n";
        let visit = read_form("multipart/form-data; boundary=x", body).await.unwrap();
        assert_eq!(visit.form.get("amount"), Some("35.00"));
        assert_eq!(visit.files.len(), 1);
        assert_eq!(visit.uploads("photo").next().unwrap().bytes, b"JPEG");
        assert_eq!((visit.cookies["b"].as_str(), visit.query.get("x")), ("2", Some("1")));
    }

    #[tokio::test]
    async fn what_is_no_form_is_refused() {
        assert_eq!(read_form("multipart/form-data", "x").await, Err(ReadError::Broken));
        assert_eq!(
            read_form("multipart/form-data; boundary=x", "--x\r\nnonsense").await,
            Err(ReadError::Broken)
        );
        let many = "a=1&".repeat(FIELDS_MAX + 1);
        assert_eq!(read_form("application/x-www-form-urlencoded", &many).await, Err(ReadError::TooLong));
        let long = format!("a={}", "x".repeat(FIELD_BYTES_MAX + 1));
        assert_eq!(read_form("application/x-www-form-urlencoded", &long).await, Err(ReadError::TooLong));
    }

    #[test]
    fn a_file_name_does_not_leave_its_header() {
        let reply = Reply::download("text/csv", "清单\r\nX: y\".csv", Vec::new());
        let response = write(reply);
        let sent = response.headers()[header::CONTENT_DISPOSITION].to_str().unwrap().to_owned();
        assert!(!sent.contains('\r') && !sent.contains('"'), "{sent}");
        assert!(response.headers().contains_key(header::CONTENT_SECURITY_POLICY));
    }
}
