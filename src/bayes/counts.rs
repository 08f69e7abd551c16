//! Counted messages as a Parquet file: plain columns that other engines (DuckDB, DataFusion, Spark) read, merge
//! and write too.
//!
//! ```text
//! digest          uint64          hash of all tokens: the message's name
//! spam            boolean
//! day             date            when it was counted
//! tokens_version  int32           fingerprints of another version mean nothing here
//! tokens          list of uint64  the fingerprints
//! ```
//! A row a message. To merge is to put rows together; what is there twice is dropped when it is read.
//! The digest is checked against the tokens, so that damage shows whoever wrote the file.

use std::{
    fs::File,
    io,
    panic::{self, AssertUnwindSafe},
    path::Path,
    sync::Arc,
};

use parquet::{
    basic::Compression,
    column::reader::{ColumnReader, ColumnReaderImpl},
    data_type::{BoolType, DataType, Int32Type, Int64Type},
    errors::ParquetError,
    file::{
        properties::{EnabledStatistics, WriterProperties},
        reader::{FileReader, RowGroupReader, SerializedFileReader},
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::parser::parse_message_type,
};

use super::{Corpus, Error, Memory, corpus::Row, model::replace_with, tokens};

const SCHEMA: &str = "message messages {
    required int64 digest (INTEGER(64,false));
    required boolean spam;
    required int32 day (DATE);
    required int32 tokens_version;
    required group tokens (LIST) { repeated group list { required int64 element (INTEGER(64,false)); } }
}";
/// Messages of one row group, which a writer has in memory.
const GROUP: usize = 512;
/// Messages that are read at a time: other engines write groups of a hundred thousand.
const BATCH: usize = 128;

impl Corpus {
    /// Writes the rows to a file, whole or not at all.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        replace_with(path, |file| {
            let schema = parse_message_type(SCHEMA).map_err(io::Error::other)?;
            // Hashes are noise: nothing makes them smaller.
            let properties = WriterProperties::builder()
                .set_created_by("criba".into())
                .set_compression(Compression::UNCOMPRESSED)
                .set_dictionary_enabled(false)
                // With smaller ones writing takes a tenth more time.
                .set_write_batch_size(1 << 16)
                .set_statistics_enabled(EnabledStatistics::None)
                .build();
            let mut writer = SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties))?;
            for rows in self.rows().chunks(GROUP) {
                let mut columns = writer.next_row_group()?;
                write_group(&mut columns, self, rows)?;
                columns.close()?;
            }
            writer.close()?;
            Ok(())
        })
    }

    /// Reads rows that [`Corpus::write`] wrote, or another engine with the same columns.
    ///
    /// # Errors
    /// The file cannot be read, is damaged, or is of another version.
    pub fn read(path: &Path, memory: &Memory) -> Result<Corpus, Error> {
        let file = File::open(path)?;
        // The reader is not made for hostile files, and says so by panics.
        panic::catch_unwind(AssertUnwindSafe(|| read(file, memory)))
            .unwrap_or(Err(Error::Damaged("it is no Parquet file as it should be")))
    }
}

fn write_group<W: io::Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    corpus: &Corpus,
    rows: &[Row],
) -> Result<(), ParquetError> {
    let digests: Vec<i64> = rows.iter().map(|row| row.digest.cast_signed()).collect();
    column::<Int64Type, _>(group, &digests, None)?;
    let spam: Vec<bool> = rows.iter().map(|row| row.spam).collect();
    column::<BoolType, _>(group, &spam, None)?;
    let days: Vec<i32> = rows.iter().map(|row| row.day).collect();
    column::<Int32Type, _>(group, &days, None)?;
    column::<Int32Type, _>(group, &vec![tokens::VERSION.cast_signed(); rows.len()], None)?;
    let mut values = Vec::new();
    // Whether there is an element, and whether it goes on with the list before.
    let (mut defined, mut repeated) = (Vec::new(), Vec::new());
    for row in rows {
        let before = values.len();
        values.extend(corpus.tokens_of(row).map(u64::cast_signed));
        let length = values.len() - before;
        defined.extend(std::iter::repeat_n(i16::from(length > 0), length.max(1)));
        repeated.extend((0..length.max(1)).map(|at| i16::from(at > 0)));
    }
    column::<Int64Type, _>(group, &values, Some((&defined, &repeated)))?;
    Ok(())
}

fn column<T: DataType, W: io::Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: &[T::T],
    levels: Option<(&[i16], &[i16])>,
) -> Result<(), ParquetError> {
    let missing = || ParquetError::General("the schema has fewer columns".into());
    let mut column = group.next_column()?.ok_or_else(missing)?;
    let (defined, repeated) = levels.unzip();
    column.typed::<T>().write_batch(values, defined, repeated)?;
    column.close()
}

fn read(file: File, memory: &Memory) -> Result<Corpus, Error> {
    let reader = SerializedFileReader::new(file).map_err(|_| Error::Foreign)?;
    let columns = reader.metadata().file_metadata().schema_descr_ptr();
    let find = |name: &str| {
        let mut all = columns.columns().iter();
        all.position(|column| column.path().parts().first().is_some_and(|part| part == name))
            .ok_or(Error::Foreign)
    };
    let places = [find("digest")?, find("spam")?, find("day")?, find("tokens_version")?, find("tokens")?];
    let mut corpus = Corpus::within(memory);
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group).map_err(damaged)?;
        read_group(&mut corpus, group.as_ref(), places)?;
    }
    Ok(corpus)
}

fn read_group(corpus: &mut Corpus, group: &dyn RowGroupReader, places: [usize; 5]) -> Result<(), Error> {
    let wrong = Error::Damaged("a column is of another type");
    let [digest, spam, day, version, tokens] = places.map(|place| group.get_column_reader(place));
    let (
        ColumnReader::Int64ColumnReader(mut digest),
        ColumnReader::BoolColumnReader(mut spam),
        ColumnReader::Int32ColumnReader(mut day),
        ColumnReader::Int32ColumnReader(mut version),
        ColumnReader::Int64ColumnReader(mut tokens),
    ) = (
        digest.map_err(damaged)?,
        spam.map_err(damaged)?,
        day.map_err(damaged)?,
        version.map_err(damaged)?,
        tokens.map_err(damaged)?,
    )
    else {
        return Err(wrong);
    };
    loop {
        let digests = scalars(&mut digest)?;
        let (spam, days) = (scalars(&mut spam)?, scalars(&mut day)?);
        let (versions, lists) = (scalars(&mut version)?, lists(&mut tokens)?);
        let (rows, count) = (digests.len(), versions.len());
        let mut versions = versions.iter().map(|version| version.cast_unsigned());
        if let Some(found) = versions.find(|&found| found != tokens::VERSION) {
            return Err(Error::Tokens { found, known: tokens::VERSION });
        }
        if [spam.len(), days.len(), count, lists.len()] != [rows; 4] {
            return Err(Error::Damaged("its columns are not of one length"));
        }
        if rows == 0 {
            return Ok(());
        }
        for (((digest, spam), day), list) in digests.into_iter().zip(spam).zip(days).zip(&lists) {
            // Of tokens that no message of ours has, as more than there may be or one twice, the sum is another one too.
            corpus.restore(list, spam, day);
            if corpus.rows().last().is_none_or(|row| row.digest != digest.cast_unsigned()) {
                return Err(Error::Damaged("a message's tokens are not those that its digest stands for"));
            }
        }
        corpus.relieve()?;
    }
}

/// The next values of a column that has one in each row.
fn scalars<T: DataType>(reader: &mut ColumnReaderImpl<T>) -> Result<Vec<T::T>, Error> {
    let (mut values, mut defined) = (Vec::new(), Vec::new());
    let (rows, ..) = reader.read_records(BATCH, Some(&mut defined), None, &mut values).map_err(damaged)?;
    if values.len() == rows { Ok(values) } else { Err(Error::Damaged("a value is missing")) }
}

/// The next lists of a column, one a row.
fn lists(reader: &mut ColumnReaderImpl<Int64Type>) -> Result<Vec<Vec<u64>>, Error> {
    let (mut values, mut defined, mut repeated) = (Vec::new(), Vec::new(), Vec::new());
    reader.read_records(BATCH, Some(&mut defined), Some(&mut repeated), &mut values).map_err(damaged)?;
    // An element is there where it is defined to the deepest level of the column.
    let deepest = defined.iter().copied().max().unwrap_or(0);
    let is_element = |level: i16| level == deepest && !values.is_empty();
    let mut lists: Vec<Vec<u64>> = Vec::new();
    let mut elements = values.iter();
    for (&defined, repeated) in defined.iter().zip(repeated) {
        if repeated == 0 {
            lists.push(Vec::new());
        }
        if is_element(defined) {
            let element = elements.next().ok_or(Error::Damaged("an element is missing"))?;
            lists.last_mut().ok_or(Error::Damaged("an element is in no list"))?.push(element.cast_unsigned());
        }
    }
    Ok(lists)
}

#[cold]
fn damaged(_: ParquetError) -> Error {
    Error::Damaged("a part of it cannot be read")
}
