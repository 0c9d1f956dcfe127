//! The text form `sc://host:port/;key=value;…` that Spark's clients share.

use url::{Host, Url};
use uuid::Uuid;

use super::{Address, Token, Transport};

/// Spark's own default port.
const PORT: u16 = 15002;

/// Why a text is no address. Says nothing of the text but names of parameters: the rest may hold a
/// token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Invalid {
    /// It does not begin with `sc://`.
    #[error("a Spark Connect address begins with sc://, such as sc://localhost:15002")]
    Scheme,
    /// It cannot be read as an URL.
    #[error("the address cannot be read: {0}")]
    Url(url::ParseError),
    /// No host follows `sc://`.
    #[error("the address names no host; write sc://HOST:PORT")]
    NoHost,
    /// A user or password stands before the host.
    #[error("the address has a user or password before the host; write ;user_id=… and ;token=…")]
    UserInfo,
    /// Something other than parameters follows the host.
    #[error("after the host and port only /;name=value;… may follow")]
    Path,
    /// A parameter is not `name=value`; counted from 1.
    #[error("parameter {0} is not of the form name=value")]
    Parameter(usize),
    /// A value is not valid percent-encoded UTF-8.
    #[error("the value of {0} is not valid percent-encoded UTF-8")]
    Encoding(String),
    /// A parameter that is `true` or `false` is neither.
    #[error("{0} is either true or false")]
    Bool(&'static str),
    /// The session id is not a UUID.
    #[error("session_id is not a UUID")]
    SessionId,
    /// A name or value cannot be sent as metadata.
    #[error("{0} cannot be sent as a header")]
    Header(String),
    /// The host cannot stand in an address.
    #[error("the host cannot stand in an address")]
    Host,
    /// The path of a socket is not UTF-8.
    #[error("the path of the socket is not UTF-8")]
    Socket,
    /// TLS cannot be set up for the host.
    #[error("TLS cannot be set up for the host")]
    Tls,
}

impl Address {
    /// Reads `sc://host:port/;user_id=…;token=…;use_ssl=true;session_id=…;x-header=…`.
    ///
    /// As in Spark's clients, values are percent-encoded, names that are not Spark's own become
    /// headers, and a token asks for TLS unless `use_ssl` says otherwise or the host is this
    /// machine. `user_id` falls back to `fallback_user`.
    ///
    /// # Errors
    /// Says what is wrong, without quoting the text.
    pub fn parse(text: &str, fallback_user: &str) -> Result<Self, Invalid> {
        if !text.starts_with("sc://") {
            return Err(Invalid::Scheme);
        }
        let url = Url::parse(text).map_err(|error| match error {
            url::ParseError::EmptyHost => Invalid::NoHost,
            other => Invalid::Url(other),
        })?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Invalid::UserInfo);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(Invalid::Path);
        }
        let parameters = Parameters::read(url.path())?;
        let (host, loopback) = host(&url)?;
        let tls = parameters
            .use_ssl
            .unwrap_or(parameters.token.is_some() && !loopback);
        Ok(Self {
            transport: Transport::Tcp {
                host,
                port: url.port().unwrap_or(PORT),
                tls,
            },
            token: parameters.token,
            user_id: parameters
                .user_id
                .unwrap_or_else(|| fallback_user.to_owned()),
            session_id: parameters.session_id,
            headers: parameters.headers,
            incarnation: None,
        })
    }
}

/// The host's name, and whether it is this machine.
fn host(url: &Url) -> Result<(String, bool), Invalid> {
    // `sc` is no special scheme, so the url crate keeps an IPv4 address as a domain.
    match url.host() {
        None | Some(Host::Domain("")) => Err(Invalid::NoHost),
        Some(Host::Domain(name)) => {
            let loopback = name.eq_ignore_ascii_case("localhost")
                || name
                    .parse::<std::net::Ipv4Addr>()
                    .is_ok_and(|ip| ip.is_loopback());
            Ok((name.to_owned(), loopback))
        }
        Some(Host::Ipv4(ip)) => Ok((ip.to_string(), ip.is_loopback())),
        Some(Host::Ipv6(ip)) => Ok((ip.to_string(), ip.is_loopback())),
    }
}

/// What follows the host.
#[derive(Default)]
struct Parameters {
    user_id: Option<String>,
    token: Option<Token>,
    use_ssl: Option<bool>,
    session_id: Option<Uuid>,
    headers: Vec<(String, String)>,
}

impl Parameters {
    fn read(path: &str) -> Result<Self, Invalid> {
        let mut parameters = Self::default();
        let rest = match path {
            "" | "/" => return Ok(parameters),
            _ => path.strip_prefix("/;").ok_or(Invalid::Path)?,
        };
        for (index, pair) in rest.split(';').enumerate() {
            if pair.is_empty() {
                continue;
            }
            let (name, value) = pair.split_once('=').ok_or(Invalid::Parameter(index + 1))?;
            if name.is_empty() {
                return Err(Invalid::Parameter(index + 1));
            }
            let value = decode(value).ok_or_else(|| Invalid::Encoding(name.to_owned()))?;
            parameters.set(name, value)?;
        }
        Ok(parameters)
    }

    fn set(&mut self, name: &str, value: String) -> Result<(), Invalid> {
        match name {
            "user_id" => self.user_id = Some(value).filter(|user| !user.is_empty()),
            "token" => {
                header("token", &value)?;
                self.token = Some(Token::new(value));
            }
            "use_ssl" => {
                let flag = value.to_ascii_lowercase().parse().ok();
                self.use_ssl = Some(flag.ok_or(Invalid::Bool("use_ssl"))?);
            }
            "session_id" => {
                let id = Uuid::parse_str(&value).ok();
                self.session_id = Some(id.ok_or(Invalid::SessionId)?);
            }
            // Settings of pyspark's own channel; ours has its own.
            "user_agent" => {}
            _ if name.starts_with("grpc_") => {}
            _ => {
                header(name, &value)?;
                self.headers.push((name.to_ascii_lowercase(), value));
            }
        }
        Ok(())
    }
}

/// Whether `name: value` can be sent; binary headers cannot be written as text.
fn header(name: &str, value: &str) -> Result<(), Invalid> {
    let sendable =
        tonic::metadata::AsciiMetadataKey::from_bytes(name.to_ascii_lowercase().as_bytes()).is_ok()
            && tonic::metadata::AsciiMetadataValue::try_from(value).is_ok();
    if sendable {
        Ok(())
    } else {
        Err(Invalid::Header(name.to_owned()))
    }
}

/// Undoes percent-encoding; `None` when what comes out is not UTF-8 or a `%` stands alone.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let high = char::from(rest.next()?).to_digit(16)?;
            let low = char::from(rest.next()?).to_digit(16)?;
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(host: &str, port: u16, tls: bool) -> Transport {
        let host = host.to_owned();
        Transport::Tcp { host, port, tls }
    }

    #[test]
    fn the_host_the_port_and_tls_follow_what_is_written() {
        let cases = [
            ("sc://spark", tcp("spark", 15002, false)),
            ("sc://spark/", tcp("spark", 15002, false)),
            ("sc://spark:7/;use_ssl=true", tcp("spark", 7, true)),
            ("sc://spark:7/;use_ssl=TRUE;", tcp("spark", 7, true)),
            ("sc://spark:7/;token=t", tcp("spark", 7, true)),
            (
                "sc://spark:7/;token=t;use_ssl=false",
                tcp("spark", 7, false),
            ),
            ("sc://localhost:7/;token=t", tcp("localhost", 7, false)),
            ("sc://127.0.0.1:7/;token=t", tcp("127.0.0.1", 7, false)),
            ("sc://[::1]:7/;token=t", tcp("::1", 7, false)),
            ("sc://10.0.0.1:7/;token=t", tcp("10.0.0.1", 7, true)),
        ];
        for (text, expected) in cases {
            let address = Address::parse(text, "me").expect(text);
            assert_eq!(address.transport, expected, "{text}");
        }
    }

    #[test]
    fn parameters_are_decoded_and_unknown_ones_become_headers() {
        let text = "sc://h/;user_id=a%20b;token=s%3Bt;session_id=00000000-0000-4000-8000-000000000001;\
                    X-Team=blue;user_agent=x;grpc_keepalive_time_ms=1";
        let address = Address::parse(text, "me").expect("an address");
        assert_eq!(address.user_id, "a b");
        assert_eq!(address.token, Some(Token::new("s;t")));
        assert_eq!(
            address.session_id,
            Some(Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0001))
        );
        assert_eq!(address.headers, [("x-team".to_owned(), "blue".to_owned())]);
    }

    #[test]
    fn without_a_user_the_fallback_is_the_user() {
        for text in ["sc://h", "sc://h/;user_id="] {
            assert_eq!(Address::parse(text, "me").expect(text).user_id, "me");
        }
    }

    #[test]
    fn what_is_wrong_is_said_and_the_token_never() {
        let cases = [
            ("spark://h", Invalid::Scheme),
            ("sc://", Invalid::NoHost),
            ("sc:///;token=hush", Invalid::NoHost),
            (
                "sc://h:99999/;token=hush",
                Invalid::Url(url::ParseError::InvalidPort),
            ),
            ("sc://hush@h", Invalid::UserInfo),
            ("sc://h/path;token=hush", Invalid::Path),
            ("sc://h/;token=hush?x", Invalid::Path),
            ("sc://h/;user_id=a;hush", Invalid::Parameter(2)),
            ("sc://h/;=hush", Invalid::Parameter(1)),
            (
                "sc://h/;token=hush%zz",
                Invalid::Encoding("token".to_owned()),
            ),
            ("sc://h/;token=hush%0A", Invalid::Header("token".to_owned())),
            ("sc://h/;use_ssl=hush", Invalid::Bool("use_ssl")),
            ("sc://h/;session_id=hush", Invalid::SessionId),
            ("sc://h/;x-bin=hush", Invalid::Header("x-bin".to_owned())),
        ];
        for (text, expected) in cases {
            let error = Address::parse(text, "me").expect_err(text);
            assert!(!error.to_string().contains("hush"), "{text}: {error}");
            assert_eq!(error, expected, "{text}");
        }
    }

    #[test]
    fn no_debug_output_shows_the_token() {
        let address = Address::parse("sc://h/;token=hush", "me").expect("an address");
        assert!(!format!("{address:?}").contains("hush"));
    }
}
