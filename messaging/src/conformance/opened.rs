//! A backend under test whose server may be absent.

/// What a test opens, or nothing when the server that it needs is not there.
pub async fn opened<T, O: Into<Option<T>>, F: Future<Output = O>>(
    open: impl FnOnce() -> F,
) -> Option<T> {
    open().await.into()
}
