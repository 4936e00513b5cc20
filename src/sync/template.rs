//! The configuration that a new mirror begins with: every key with what it means. A test holds it readable for every
//! family, also where what is commented out is put to use.

use super::config::KINDS;
use crate::servicing::Family;
use crate::update::{Architecture, Kind};

/// The text that `init` writes: every key with what it means, one profile, and everything else commented out.
pub fn template(family: &Family, architectures: &[Architecture]) -> String {
    let words: Vec<String> = architectures.iter().map(|architecture| format!("\"{architecture}\"")).collect();
    format!(
        r#"# What this mirror holds. `kbmirror sync` brings it up to date and deletes nothing.
format = 1

# Single KBs beside the profiles, whatever their month, and the architectures of these KBs (all, when left out).
# kbs = ["KB5086672"]
# architectures = ["arm64"]

# Options of the command line. A flag goes before its variable (KBMIRROR_CATALOG_RATE), and that before this file.
[mirror]
# dir = "."                     # with --config alone; relative paths are relative to this file
# index = "/var/lib/kbmirror/mirror.db"   # for a mirror on a share
# knowledge = "knowledge"       # tables in place of the built-in ones

[network]
# catalog_rate = 1.0            # requests a second at the most
# patience = "45m"              # how long to keep asking an ill Catalog
# catalog_url = "https://catalog.example/"
# allow_host = ["cache.example:8080"]
# proxy = "http://proxy.example:3128"     # in place of HTTPS_PROXY and the like; user:password@ may stand before the host
# ca_cert = ["company.pem"]     # trusted beside the system's authorities, for a proxy that opens TLS
# parallel = 4                  # files at a time
# limit_rate = "20M"            # bytes a second, all transfers together
# stall_after = "60s"           # a transfer over which hardly anything comes for so long is broken off and gone on with

[log]
# format = "json"               # what goes on as one JSON object a line, in place of sentences

[monitor]
# max_age = "8d"                # `kbmirror status` exits 10 when the last complete sync or the newest medium is older

# One table a family. `kbmirror sync --dry-run` tells what a profile comes to.
[[profile]]
name = "{folder}"
family = "{folder}"  # {name}
architectures = [{architectures}]        # of: {all}
kinds = ["lcu"]                 # of: {kinds}; what they need comes along
policy = "oob"                  # security: second Tuesdays; oob: out-of-band updates too; preview: everything
months = 2                      # months before the one of today that are kept up to date
"#,
        folder = family.folder,
        name = family.name,
        architectures = words.join(", "),
        all = family.architectures.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        kinds = KINDS.map(Kind::as_str).join(", "),
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::event::LogFormat;
    use crate::resolve::Policy;
    use crate::servicing::Knowledge;
    use crate::sync::{Config, Profile};

    fn profiles(text: &str) -> Vec<Profile> {
        let config = Config::parse(text, "kbmirror.toml".into()).unwrap();
        config.profiles(&Knowledge::built_in().unwrap()).unwrap()
    }

    #[test]
    fn the_template_is_a_configuration_for_every_family() {
        let knowledge = Knowledge::built_in().unwrap();
        for family in knowledge.families() {
            let text = template(family, &family.architectures);
            let parsed = profiles(&text);
            assert_eq!(parsed.len(), 1);
            assert_eq!(&parsed[0].family, family);
            assert_eq!(parsed[0].policy, Policy::Oob);
            // What is commented out is right too.
            let all = text.replace("# kbs", "kbs").replace("# arch", "arch");
            let all = all.replace("# dir", "dir").replace("# index", "index").replace("# know", "know");
            let all =
                all.replace("# catalog_", "catalog_").replace("# pat", "pat").replace("# allow", "allow");
            let all = all.replace("# proxy", "proxy").replace("# ca_cert", "ca_cert");
            let all =
                all.replace("# parallel", "parallel").replace("# limit", "limit").replace("# stall", "stall");
            let all = all.replace("# format", "format");
            let config = Config::parse(&all, "/srv/kb/kbmirror.toml".into()).unwrap();
            assert_eq!(config.kbs.len(), 1);
            assert_eq!(config.options.patience, Some(Duration::from_mins(45)));
            assert_eq!(config.options.proxy.unwrap().to_string(), "http://proxy.example:3128");
            assert_eq!(config.options.ca_cert, ["/srv/kb/company.pem"]);
            assert_eq!(config.options.transfers.limit_rate, Some(20 << 20));
            assert_eq!(config.options.log_format, Some(LogFormat::Json));
            assert_eq!(config.options.knowledge, Some("/srv/kb/knowledge".into()));
        }
    }
}
