//! `-vv`: every request and its answer, told as one line each.
//!
//! Queries are left out but for the api-version, bodies and headers always: that is where keys and tokens of operations
//! are.

use crate::time::Time;
use crate::wire::{BoxFuture, Cloud, Request, Response, Transport};

/// A cloud that tells what is asked of it.
pub struct Traced<'a> {
    inner: &'a dyn Cloud,
    tell: Box<dyn Fn(&str) + 'a>,
}

impl<'a> Traced<'a> {
    /// Tells of everything that goes to `inner`.
    pub fn new(inner: &'a dyn Cloud, tell: impl Fn(&str) + 'a) -> Traced<'a> {
        Traced { inner, tell: Box::new(tell) }
    }
}

impl Cloud for Traced<'_> {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Transport>> {
        Box::pin(async move {
            let (method, url) = (request.method.as_str(), shown(&request.url));
            let began = self.inner.now();
            let answer = self.inner.send(request).await;
            let took = self.inner.now().since(began);
            (self.tell)(&match &answer {
                Ok(response) => format!("{method} {url} {} in {took}", response.status),
                Err(transport) => format!("{method} {url} {transport}"),
            });
            answer
        })
    }

    fn now(&self) -> Time {
        self.inner.now()
    }

    fn sleep(&self, until: Time) -> BoxFuture<'_, ()> {
        self.inner.sleep(until)
    }
}

/// The url with no more of its query than the api-version.
fn shown(url: &str) -> String {
    let Some((path, query)) = url.split_once('?') else { return url.to_owned() };
    match query.split('&').find(|part| part.starts_with("api-version=")) {
        Some(version) => format!("{path}?{version}"),
        None => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_query_but_the_version_is_shown() {
        assert_eq!(shown("/a/b?t=SECRET&api-version=1&c=SECRET"), "/a/b?api-version=1");
        assert_eq!((shown("/a?t=SECRET").as_str(), shown("/a").as_str()), ("/a", "/a"));
    }
}
