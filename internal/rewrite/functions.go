package rewrite

import pg "github.com/sqlc-dev/oliphant"

// steady are functions of PostgreSQL that compute and do nothing else: called
// twice in one statement with the same arguments they give the same value. A
// test looks in the server's catalog whether that is true of all that bear the
// name.
var steady = wordSet(`abs acos age array_append array_cat array_dims array_fill array_length array_lower
	array_ndims array_position array_positions array_prepend array_remove array_replace array_to_json array_to_string
	array_upper ascii asin atan atan2 bit_count bit_length btrim cardinality cbrt ceil ceiling char_length
	character_length chr concat concat_ws convert convert_from convert_to cos cot current_database current_schema
	current_setting date date_bin date_part date_trunc daterange decode degrees div encode exp extract factorial floor
	format gcd get_bit get_byte hashtext height host initcap int4range int8range is_normalized isempty isfinite
	json_array_length json_build_array json_build_object json_extract_path json_extract_path_text json_object
	json_strip_nulls json_typeof jsonb_array_length jsonb_build_array jsonb_build_object jsonb_extract_path
	jsonb_extract_path_text jsonb_insert jsonb_object jsonb_path_exists jsonb_path_match jsonb_path_query_array
	jsonb_path_query_first jsonb_pretty jsonb_set jsonb_set_lax jsonb_strip_nulls jsonb_typeof justify_days
	justify_hours justify_interval lcm left length ln log log10 lower lower_inc lower_inf lpad ltrim make_date
	make_interval make_time make_timestamp make_timestamptz masklen md5 min_scale mod normalize now num_nonnulls
	num_nulls numrange octet_length overlay parse_ident pi plainto_tsquery position pow power quote_ident quote_literal
	quote_nullable radians regexp_count regexp_instr regexp_like regexp_match regexp_replace regexp_split_to_array
	regexp_substr repeat replace reverse right round row_to_json rpad rtrim scale set_bit set_byte sha224 sha256 sha384
	sha512 sign sin split_part sqrt starts_with statement_timestamp string_to_array strpos substr substring tan
	to_ascii to_char to_date to_hex to_json to_jsonb to_number to_timestamp to_tsquery to_tsvector
	transaction_timestamp translate trim_array trim_scale trunc tsrange tstzrange unistr upper upper_inc upper_inf
	width_bucket`)

// steadyCall tells whether a call of a function may be repeated, as far as the
// function decides.
func (r *Rewriter) steadyCall(f *pg.FuncCall) bool {
	if f.AggStar || f.AggDistinct || f.AggFilter != nil || f.AggWithinGroup || f.Over != nil || len(f.AggOrder) > 0 || f.FuncVariadic {
		return false
	}
	name := f.Funcname[len(f.Funcname)-1].GetString_().GetSval()
	known, own := r.catalog.Functions[name]
	switch {
	case len(f.Funcname) == 1:
		// One of the database's own may be called as well as PostgreSQL's.
		return (known || !own) && (steady[name] || own)
	case f.Funcname[0].GetString_().GetSval() == "pg_catalog":
		return steady[name]
	}
	return known
}
