//! A CA, and servers' certificates, made by `openssl`.

use std::{fs, path::Path};

use anyhow::Result;
use tests::Host;

/// What `openssl ca` keeps its books by. Dates are given to the day, so that one may have passed.
const BOOKS: &str = "\
[ca]
default_ca = books
[books]
dir = .
database = index
new_certs_dir = .
serial = serial
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
";

/// Makes `ca.pem`, and `NAME.pem` and `NAME.key` for each name and date, in `dir`.
pub(crate) fn make(host: &Host, dir: &Path, names: &[(&str, &str, &str)]) -> Result<()> {
    fs::write(dir.join("books"), BOOKS)?;
    fs::write(dir.join("index"), "")?;
    fs::write(dir.join("serial"), "01\n")?;
    let at = dir.display();
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    host.sh(&format!(
        "cd {at} && openssl req -x509 {key} -keyout ca.key -out ca.pem -subj '/CN=Test CA' -days 30 2>&1"
    ))?;
    for (file, name, ends) in names {
        host.sh(&format!(
            "cd {at} && openssl req {key} -keyout {file}.key -out {file}.csr -subj '/CN={name}' \
             -addext 'subjectAltName=DNS:{name}' 2>&1 && \
             openssl ca -batch -config books -notext -keyfile ca.key -cert ca.pem -in {file}.csr -out {file}.pem \
             -startdate 20200101000000Z -enddate $(date -u -d '{ends}' +%Y%m%d%H%M%SZ) 2>&1"
        ))?;
    }
    Ok(())
}
