//! Uploading a file.

use std::time::Duration;

use axum::Json;
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest, Multipart, Request, State};
use axum::http::{StatusCode, header};
use dev2prod_api::Uploaded;
use dev2prod_engine::Engine;
use dev2prod_engine::files::{self, NewFile, Receiving};
use dev2prod_model::access::{FileWrite, Scope};
use utoipa::ToSchema;

use crate::extract::Allowed;
use crate::problem::ApiError;

/// The names of the field that holds the file, in lower case: clients write it as they like.
const FIELDS: [&str; 4] = ["files[]", "files", "file", "file[]"];
/// How long an upload may say nothing.
const SILENCE_MAX: Duration = Duration::from_secs(120);

/// A form with one file.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes the form, which is read as a stream")]
pub(crate) struct FileForm {
    /// The file; the field's name is read in any case.
    #[schema(rename = "files[]", value_type = String, format = Binary)]
    files: Vec<u8>,
}

/// Uploads a file
///
/// It stays 90 days unless the server is set otherwise. A connection that breaks leaves nothing.
#[utoipa::path(post, path = "", tag = "File Repository",
    request_body(content = FileForm, content_type = "multipart/form-data"),
    responses((status = 200, description = "The file is kept.", body = Uploaded)))]
pub(crate) async fn upload_attachment(
    State(engine): State<Engine>,
    Allowed(scope): Allowed<FileWrite>,
    request: Request,
) -> Result<Json<Uploaded>, ApiError> {
    let form = form(request).await?;
    let receiving = receive(&engine, &scope, form).await?;
    let file = receiving.finish().await?;
    Ok(Json(Uploaded::from(&file)))
}

async fn form(request: Request) -> Result<Multipart, ApiError> {
    let content_type = request.headers().get(header::CONTENT_TYPE);
    let content_type = content_type
        .and_then(|text| text.to_str().ok())
        .unwrap_or_default();
    if !content_type
        .trim_start()
        .to_ascii_lowercase()
        .starts_with("multipart/form-data")
    {
        return Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "not_multipart",
            "send the file as multipart/form-data, in a field named files[]",
        ));
    }
    Multipart::from_request(request, &())
        .await
        .map_err(|_| broken_form("its Content-Type names no boundary"))
}

/// The one file of a form, received and not kept yet; what is refused leaves nothing.
async fn receive(
    engine: &Engine,
    scope: &Scope<FileWrite>,
    mut form: Multipart,
) -> Result<Receiving, ApiError> {
    let mut received: Option<Receiving> = None;
    let refusal = loop {
        match within(form.next_field()).await {
            Ok(Some(field)) if !is_file(&field) => {}
            Ok(Some(field)) if received.is_none() => {
                match receive_field(engine, scope, field).await {
                    Ok(receiving) => received = Some(receiving),
                    Err(refusal) => break refusal,
                }
            }
            Ok(Some(_)) => {
                break ApiError::invalid(
                    "two_files",
                    "the form holds two files: send one at a time",
                );
            }
            Ok(None) => {
                return received.ok_or_else(|| {
                    ApiError::invalid(
                        "no_file",
                        "the form holds no file: send it in a field named files[]",
                    )
                });
            }
            Err(refusal) => break refusal,
        }
    };
    if let Some(receiving) = received {
        receiving.abort().await;
    }
    Err(refusal)
}

async fn receive_field(
    engine: &Engine,
    scope: &Scope<FileWrite>,
    mut field: Field<'_>,
) -> Result<Receiving, ApiError> {
    let new = NewFile {
        name: field.file_name().unwrap_or_default().to_owned(),
        content_type: field.content_type().map(str::to_owned),
    };
    let mut receiving = files::begin(engine, scope, new).await?;
    loop {
        let refusal = match within(field.chunk()).await {
            Ok(None) => return Ok(receiving),
            Ok(Some(bytes)) => match receiving.write(bytes).await {
                Ok(()) => continue,
                Err(error) => error.into(),
            },
            Err(refusal) => refusal,
        };
        receiving.abort().await;
        return Err(refusal);
    }
}

fn is_file(field: &Field<'_>) -> bool {
    field
        .name()
        .is_some_and(|name| FIELDS.contains(&name.to_ascii_lowercase().as_str()))
}

/// The next part of the form, if it comes in time.
async fn within<T>(next: impl Future<Output = Result<T, MultipartError>>) -> Result<T, ApiError> {
    match tokio::time::timeout(SILENCE_MAX, next).await {
        Ok(Ok(part)) => Ok(part),
        Ok(Err(error)) => Err(broken_form(&error.body_text())),
        Err(_) => Err(broken_form(&format!(
            "nothing came for {} s",
            SILENCE_MAX.as_secs()
        ))),
    }
}

fn broken_form(why: &str) -> ApiError {
    ApiError::invalid(
        "broken_form",
        format!("the form cannot be read to its end ({why}); nothing was kept: send it again"),
    )
}
