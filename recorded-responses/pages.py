"""Writes Catalog pages: search, details, download dialog, error, and "update unknown".

The element ids, the nesting that a reader relies on, and the marks that tell one kind of page from
another are the site's. Everything else (page chrome, scripts, sentences) is left out or written anew.

The site answers in two dialects, by user agent. `Dialect.BROWSER` puts `style` behind the ids and wraps
hidden fields in a div; `Dialect.DOWN_LEVEL` puts `bordercolor` before the id and leaves `style` out.
"""

import enum
import html

EMPTY_RESULT = "We did not find any results for "
OVER_1000 = "Your search resulted in over 1000 matching updates.  Only the first 1000 are returned."
ROWS_A_PAGE = 25


class Dialect(enum.Enum):
    BROWSER = "browser"
    DOWN_LEVEL = "down-level"


def size_text(size):
    """A size as the site writes it: MB with one decimal, whole KB (cut off) below 1 MB, never GB."""
    if size < 1024 * 1024:
        return f"{size // 1024} KB"
    return f"{size / (1024 * 1024):.1f} MB"


def catalog_date(date):
    """`2026-09-04` as `9/4/2026`."""
    year, month, day = date.split("-")
    return f"{int(month)}/{int(day)}/{year}"


def _document(title, body_attributes, body):
    return f"""<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">
<!-- reconstructed: written by hand after the structure of the site's pages -->
<html xmlns="http://www.w3.org/1999/xhtml" dir="ltr" lang="en">
<head><meta charset="utf-8" /><title>{title}</title></head>
<body id="ltr"{body_attributes}>
{body}
</body>
</html>
"""


def _hidden_fields(dialect):
    state = '<input type="hidden" name="__VIEWSTATE" id="__VIEWSTATE" value="" />'
    if dialect is Dialect.DOWN_LEVEL:
        return state
    return f"""<div class="aspNetHidden">
<input type="hidden" name="__EVENTTARGET" id="__EVENTTARGET" value="" />
<input type="hidden" name="__EVENTARGUMENT" id="__EVENTARGUMENT" value="" />
{state}
</div>"""


def _form(action, form_id, dialect, content):
    return f"""<form method="post" action="./{html.escape(action)}" id="{form_id}">
{_hidden_fields(dialect)}
{content}
<input type="hidden" id="updateIDs" name="updateIDs" />
</form>"""


# --- Search.aspx ---

_COLUMNS = [
    ("Title", "Title"),
    ("Products", "Products"),
    ("ClassificationComputed", "Classification"),
    ("DateComputed", "Last Updated"),
    ("DriverVerVersion", "Version"),
    ("SizeInBytes", "Size"),
]


def _post_back(name):
    return f"javascript:__doPostBack(&#39;{name}&#39;,&#39;&#39;)"


def _header_row():
    cells = ['<th class="headerText" scope="col" id="header_C0">&nbsp;</th>']
    for number, (command, label) in enumerate(_COLUMNS, start=1):
        link = f"updateMatches$ctl02${command[0].lower()}{command[1:]}HeaderLink"
        cells.append(
            f'<th class="headerText" scope="col" id="header_C{number}">'
            f'<a onclick="return false;" id="ctl00_catalogBody_{link.replace("$", "_")}" data-commandName="{command}"'
            f' href="{_post_back("ctl00$catalogBody$" + link)}"><span>{label}</span></a></th>'
        )
    cells.append('<th class="headerText" scope="col" id="header_C7"><span>Download</span></th>')
    return '\t<tr class="dataGridFixedHeader1" id="headerRow">\n\t\t' + "".join(cells) + "\n\t</tr>"


def _row(number, row, dialect):
    """One result. `row` has update_id, title, products, classification, date, version, size.

    The products are not escaped: the site sends a bare `&`.
    """
    uid = row["update_id"]
    style = ' style="border-width:0px;"' if dialect is Dialect.BROWSER else ""

    def cell(column, content, more=""):
        return f'<td class="resultsbottomBorder{more}" id="{uid}_C{column}_R{number}">\n{content}\n\t\t</td>'

    def text(content):
        return f"                        {content}"

    cells = [
        f'<td class="resultsbottomBorder resultsIconWidth " id="{uid}_C0_R{number}">\n\t\t</td>',
        cell(
            1,
            f"""                        <a id='{uid}_link' href= "javascript:void(0);" onclick='goToDetails("{uid}");' class="contentTextItemSpacerNoBreakLink">
                            {html.escape(row["title"], quote=False)}
                        </a>""",
        ),
        cell(2, text(row["products"])),
        cell(3, text(row["classification"])),
        cell(4, text(catalog_date(row["date"])), " "),
        cell(5, text(row["version"])),
        cell(
            6,
            f"""                       <span id="{uid}_size">{size_text(row["size"])}</span>
                       <span class="noDisplay" id="{uid}_originalSize">{row["size"]}</span>""",
            " resultsSizeWidth",
        ),
        cell(7, text(f"""<input id="{uid}" class="flatBlueButtonDownload" type="button" value='Download' />""")),
    ]
    return f'<tr id="{uid}_R{number}"{style}>\n\t\t' + "".join(cells) + "\n\t</tr>"


def _pager(direction, label, has_page):
    if has_page:
        name = f"{direction}PageLink"
        return (
            f'<span id="ctl00_catalogBody_{name}"><a id="ctl00_catalogBody_{name}Text"'
            f' class="contentTextItemSpacerNoBreakLink" href="{_post_back(f"ctl00$catalogBody${name}Text")}">'
            f"<span>{label}</span></a></span>"
        )
    return f'<span id="ctl00_catalogBody_{direction}Page"><span>{label}</span></span>'


def search_page(query, action, rows, page, total, over_1000, dialect):
    """A page of results; `page` is 0-based, `rows` are the rows of this page."""
    pages = -(-total // ROWS_A_PAGE)
    first = page * ROWS_A_PAGE + 1
    notice = ""
    if over_1000:
        notice = f"""
    <div id="ctl00_catalogBody_moreResults" class="moreReults" role="status">
        <span id="ctl00_catalogBody_textMoreResults">{OVER_1000}</span>
    </div>"""
    if dialect is Dialect.BROWSER:
        table = (
            '<table class="resultsBorder resultsBackGround" cellspacing="0" cellpadding="0" rules="all"'
            ' id="ctl00_catalogBody_updateMatches" style="border-color:Gray;border-width:1px;'
            'border-style:solid;border-collapse:collapse;">'
        )
    else:
        table = (
            '<table class="resultsBorder resultsBackGround" cellspacing="0" cellpadding="0"'
            ' bordercolor="Gray" rules="all" border="1" id="ctl00_catalogBody_updateMatches">'
        )
    body_rows = "".join(_row(number, row, dialect) for number, row in enumerate(rows))
    content = f"""<div id="contentSection">
    <div id="searchSubHeading">
        <table id="ctl00_catalogBody_ResultsHeaderTable" role="presentation"><tr><td>
            <span id="ctl00_catalogBody_searchString">"{html.escape(query)}"</span>
        </td></tr></table>
    </div>{notice}
    <table id="ctl00_catalogBody_navigationLinks" cellpadding="0" cellspacing="0" border="0" class="resultsNavigation">
	<tr>
		<td>
            <div id="numberOfUpdates" role="status">
                <span id="ctl00_catalogBody_labelUpdates_Separator">Updates:</span>
                <span id="ctl00_catalogBody_searchDuration">{first} - {first + len(rows) - 1} of {total} (page {page + 1} of {pages})</span><br />
            </div>
        </td>
		<td valign="middle" class="textAlignRight" role="presentation">
            {_pager("prev", "Previous", page > 0)}<span>|</span> {_pager("next", "Next", page + 1 < pages)}
        </td>
	</tr>
    </table>
</div>
<div id="tableContainer" class="resultsBackGround">
        {table}
{_header_row()}{body_rows}
        </table>
</div>"""
    return _document("Microsoft Update Catalog", "", _form(action, "aspnetForm", dialect, content))


def no_result_page(query, action, dialect):
    content = f"""<div id="contentSection">
    <div id="searchSubHeading">
        <table id="ctl00_catalogBody_ResultsHeaderTable" role="presentation"><tr><td>
            <span id="ctl00_catalogBody_noResultText">{EMPTY_RESULT}</span>
            <span id="ctl00_catalogBody_searchString">"{html.escape(query)}"</span>
        </td></tr></table>
    </div>
    <div id="ctl00_catalogBody_noResults"><span>Other words may find more.</span></div>
</div>
<div id="tableContainer" class="resultsBackGround">
</div>"""
    return _document("Microsoft Update Catalog", "", _form(action, "aspnetForm", dialect, content))


# --- pages that the site redirects to ---


def error_page(number, action, dialect):
    """The error page of Error.aspx; `number` is the eight hex digits."""
    content = f"""<div id="contentBox">
    <div id="errorPageHeader">
        <span id="ctl00_catalogBody_errorHandler_textHeaderError" class="contentPageTitle">The website has encountered a problem </span>
    </div>
    <div id="errorPageDisplayedError" class="contentHeaderErrorNumber">
        [<span id="ctl00_catalogBody_errorHandler_textErrorNumberError" class="contentHeaderErrorNumber">Error number: </span>{number}]
    </div>
    <div id="ctl00_catalogBody_errorHandler_error500"><span>No page can be shown.</span></div>
</div>"""
    return _document("Microsoft Update Catalog", ' class="mainBody error"', _form(action, "aspnetForm", dialect, content))


def thanks_page(action, dialect):
    """What Thanks.aspx?id=190 shows for an update that the Catalog does not have, or no longer."""
    content = """<div id="contentBox">
    <div id="ctl00_catalogBody_thanksNoUpdate">
        <span class="contentPageTitle">There is no such update.</span>
    </div>
</div>"""
    return _document("Microsoft Update Catalog", ' class="thanks"', _form(action, "aspnetForm", dialect, content))


# --- ScopedViewInline.aspx ---


def _label(name, text):
    return f'<span id="ScopedViewHandler_label{name}_Separator" class="labelTitle">{text}</span>'


def _listed(items):
    """Items of a label div: separated by commas and line breaks."""
    return ",\n                        ".join(html.escape(item, quote=False) for item in items)


def _link(url):
    return f"""<div>
                            <a target="catalogNew" href="{url}" class ="contentTextItemSpacerNoBreakLink">
                                {url}
                            </a>
                        </div>"""


def _related(lines):
    if not lines:
        return "                    n/a"
    return "\n".join(
        f"""                    <div style="padding-bottom: 0.3em;">
                        {line}
                    </div>"""
        for line in lines
    )


def details_page(update, action, replaced_by, replaces, dialect):
    """A details page. `replaced_by` is a list of (update id, title), `replaces` a list of titles."""
    uid = update["update_id"]
    support = f"https://support.microsoft.com/help/{update['kb']}"
    newer = [
        f"<a href='ScopedViewInline.aspx?updateid={other}'>{html.escape(title, quote=False)}</a>"
        for other, title in replaced_by
    ]
    older = [html.escape(title, quote=False) for title in replaces]
    content = f"""<div class="inlinePadding">
    <div id="scopedViewHeaderTitleBox" class="dialogHeader"><span id="scopedViewHeaderTitleResource">Update Details</span></div>
    <div id="contentSection">
        <div class="textBottomSpacer labelTitle" id="titleDiv">
            <span id="ScopedViewHandler_titleText">{html.escape(update["title"], quote=False)}</span>
        </div>
        <div id="dateDiv" class="textBottomSpacer">
            {_label("LastModified", "Last Modified:")}
            <span id="ScopedViewHandler_date">{catalog_date(update["date"])}</span>
        </div>
        <div id="sizeDiv" class="textBottomSpacer">
            <span class="labelTitle">Size:</span>
            <span id="ScopedViewHandler_size">{size_text(update["size"])}</span>
        </div>
        <div id="updateIdDiv" class="textBottomSpacer">
            <span class="labelTitle">UpdateID:</span>
            <span id="ScopedViewHandler_UpdateID">{uid}</span>
        </div>
    </div>
    <div id="tabBody">
        <div id="overviewBox">
            <table cellpadding="0" cellspacing="0" border="0" width="95%"><tr>
                <td id="overviewLeftBox">
                    <div id="descDiv" class="textDoubleSpacer">
                        {_label("Description", "Description:")}
                        <span id="ScopedViewHandler_desc">No description is kept in this reconstruction.</span>
                    </div>
                    <div id="archDiv">
                        {_label("Architecture", "Architecture:")}
                        n/a
                    </div>
                    <div id="classificationDiv">
                        {_label("Classification", "Classification:")}
                        {update["classification"]}
                    </div>
                    <div id="productsDiv">
                        {_label("SupportedProducts", "Supported products:")}
                        {_listed(update["product_list"])}
                    </div>
                    <div id="languagesDiv">
                        {_label("SupportedLanguages", "Supported languages:")}
                        all
                    </div>
                </td>
                <td id="overviewRightBox">
                    <div id="ScopedViewHandler_SoftwareInfo">
                        <div id="securityBullitenDiv">
                            {_label("SecurityBulliten", "MSRC Number:")}
                            n/a
                        </div>
                        <div id="msrcSeverityDiv">
                            {_label("MSRCSeverity", "MSRC severity:")}
                            <span id="ScopedViewHandler_msrcSeverity">{update["severity"]}</span>
                        </div>
                        <div id="kbDiv" class="textDoubleSpacer">
                            {_label("KBArticle", "KB article numbers:")}
                            {update["kb"]}
                        </div>
                    </div>
                    <div id="moreInfoDiv" class="textDoubleSpacer">
                        {_label("MoreInfo", "More information:")}
                        {_link(support)}
                    </div>
                    <div id="suportUrlDiv" class="textDoubleSpacer">
                        {_label("SupportUrl", "Support Url:")}
                        {_link(support)}
                    </div>
                </td>
            </tr></table>
        </div>
        <div id="packageBox" style="display: none">
            <div id="ScopedViewHandler_softwarePackage">
                {_label("SupersedingUpdates", "This update has been replaced by the following updates:")}
                <div id="supersededbyInfo">
{_related(newer)}
                </div>
                {_label("SupersededUpdates", "This update replaces the following updates:")}
                <div id="supersedesInfo">
{_related(older)}
                </div>
            </div>
        </div>
        <div id="installBox" style="display: none">
            <div id="rebootBehaviorDiv">
                {_label("RebooBehavior", "Restart behavior:")}
                <span id="ScopedViewHandler_rebootBehavior">{update["restart"]}</span>
            </div>
            <div id="userInputDiv">
                {_label("RequiresInput", "May request user input:")}
                <span id="ScopedViewHandler_userInput">No</span>
            </div>
            <div id="installationImpactDiv">
                {_label("InstallationImpact", "Must be installed exclusively:")}
                <span id="ScopedViewHandler_installationImpact"></span>
            </div>
            <div id="connectivityDiv">
                {_label("InstallRequiresConnectivity", "Requires network connectivity:")}
                <span id="ScopedViewHandler_connectivity">No</span>
            </div>
            <div id="uninstallNotesDiv">
                {_label("UninstallNotes", "Uninstall Notes:")}
                <div>n/a</div>
            </div>
            <div id="uninstallStepsDiv">
                {_label("UninstallSteps", "Uninstall Steps:")}
                <div>n/a</div>
            </div>
        </div>
    </div>
</div>"""
    return _document(
        "Microsoft Update Catalog", ' class="mainBody"', _form(action, "scopedViewInline", dialect, content)
    )


# --- DownloadDialog.aspx ---


def _js(text):
    """The inside of a single-quoted JavaScript string."""
    return text.replace("\\", "\\\\").replace("'", "\\'")


def download_dialog(update_id, title, files, dialect):
    """The download dialog of one update.

    `files` are dicts with url, name, digest (base64 SHA-1, may be ''), and sha256: base64, '' for a line
    with an empty value, None for no line at all.
    """
    lines = [
        "downloadInformation[0] = new Object();",
        f"downloadInformation[0].updateID ='{update_id}';",
        "downloadInformation[0].isHotFix =false;",
        f"downloadInformation[0].enTitle ='{_js(title)}';",
        "downloadInformation[0].sizeLanguage ='';",
        "downloadInformation[0].files = new Array();",
    ]
    for number, file in enumerate(files):
        at = f"downloadInformation[0].files[{number}]"
        lines += [
            f"{at} = new Object();",
            f"{at}.url = '{_js(file['url'])}';",
            f"{at}.digest = '{file['digest']}';",
        ]
        if file["sha256"] is not None:
            lines.append(f"{at}.sha256 = '{file['sha256']}';")
        lines += [
            f"{at}.architectures = '';",
            f"{at}.languages = '';",
            f"{at}.longLanguages = '';",
            f"{at}.fileName = '{_js(file['name'])}';",
            f"{at}.defaultFileNameLength = {len(file['name']) + 111};",
        ]
    lines += [
        "downloadInformation[0].allFilesExist = false;",
        "var minFilePathLength =130;",
        "var eulaInfo =  new Array();",
        "var eulaInfo = '';",
    ]
    content = """<script language="javascript" type="text/javascript">
        var downloadInformation = new Array();
{}
</script>
<div id="dialogMainBox" style="display:none;">
    <div id="downloadSettings">
        <div id="downloadSettingsHeaderTitleBox" class="dialogHeader">Download</div>
        <div id="downloadFiles"></div>
    </div>
</div>""".format("\n".join(lines))
    return _document(
        "Microsoft Update Catalog", ' class="dialogBody"', _form("DownloadDialog.aspx", "dialogForm", dialect, content)
    )
